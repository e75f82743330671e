# SPDX-License-Identifier: MIT
# Files as arrays of bytes, each named after its file: uvs__page_html for page.html.
set(text "// Generated from the files of src/web.\n#include \"${CMAKE_CURRENT_LIST_DIR}/../report_page.h\"\n")
foreach(part IN LISTS PARTS)
  file(READ ${part} bytes HEX)
  string(REGEX REPLACE "(..)" "'\\\\x\\1'," bytes "${bytes}")
  get_filename_component(name ${part} NAME)
  string(TOLOWER ${name} name)
  string(REGEX REPLACE "[^a-z]" "_" name ${name})
  string(APPEND text "const char uvs__${name}[] = {${bytes}'\\0'};\n")
endforeach()
file(WRITE ${OUTPUT} "${text}")
