-- SPDX-License-Identifier: MIT
-- For lua with lua-luv: timers, files, a child and a pipe; says what it saw, in the order of its own making.
local uv = require("luv")

local function child()
  local out = uv.new_pipe(false)
  local process
  process = uv.spawn("echo", { args = { "from the child" }, stdio = { nil, out, nil } }, function(status, signal)
    print("child", status, signal)
    process:close()
  end)
  out:read_start(function(_, data)
    if data then
      io.write(data)
    else
      out:close()
    end
  end)
end

local function scan(path)
  uv.fs_scandir(path, function(_, request)
    local count = 0
    while uv.fs_scandir_next(request) do
      count = count + 1
    end
    print("entries", count)
    child()
  end)
end

local timer = uv.new_timer()
local ticks = 0
timer:start(0, 1, function()
  ticks = ticks + 1
  if ticks == 20 then
    print("ticks", ticks)
    timer:close()
    scan(arg[1])
  end
end)

local idle = uv.new_idle()
local turns = 0
idle:start(function()
  turns = turns + 1
  if turns == 1000 then
    print("turns", turns)
    idle:close()
  end
end)

uv.run()
print("over", uv.loop_close())
