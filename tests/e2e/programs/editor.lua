-- SPDX-License-Identifier: MIT
-- For nvim --headless: a timer, jobs, files and a TCP echo; says what it saw and exits with 7.
local uv = vim.loop
local file = vim.env.A_FILE
local left = 6 -- timer, echo, file, three jobs

local function said(text)
  io.stdout:write(text .. "\n")
  left = left - 1
end

local timer = uv.new_timer()
local ticks = 0
timer:start(1, 1, function()
  ticks = ticks + 1
  if ticks == 50 then
    timer:close()
    said("50 ticks")
  end
end)

local server = uv.new_tcp()
server:bind("127.0.0.1", 0)
server:listen(8, function()
  local peer = uv.new_tcp()
  server:accept(peer)
  peer:read_start(function(_, data)
    if data then
      peer:write(data)
    else
      peer:close()
      server:close()
    end
  end)
end)
local client = uv.new_tcp()
local rounds = 0
client:connect("127.0.0.1", server:getsockname().port, function()
  client:read_start(function(_, data)
    rounds = rounds + 1
    if rounds < 100 then
      client:write(data)
    else
      client:shutdown(function()
        client:close()
        said("echo " .. data .. " " .. rounds)
      end)
    end
  end)
  client:write("hello")
end)

uv.fs_open(file, "r", 420, function(_, handle)
  uv.fs_read(handle, 4096, 0, function(_, data)
    uv.fs_close(handle, function()
      said("read " .. #data)
    end)
  end)
end)

for i = 1, 3 do
  vim.fn.jobstart({ "sh", "-c", "exit " .. i }, {
    on_exit = function(_, status)
      said("job " .. status)
    end,
  })
end

vim.wait(30000, function()
  return left == 0
end, 5)
vim.cmd("cquit 7")
