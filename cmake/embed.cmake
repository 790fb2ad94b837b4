# Writes each file of FILES (a list) into the C source OUTPUT as `const char PREFIX<name>[]`, closed by a zero.
# Run with cmake -DFILES=... -DPREFIX=... -DOUTPUT=... -P embed.cmake
set(text "/* Made by cmake/embed.cmake. */\n")
foreach(file IN LISTS FILES)
  get_filename_component(name ${file} NAME_WE)
  file(READ ${file} bytes HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
  string(APPEND text "extern const char ${PREFIX}${name}[];\nconst char ${PREFIX}${name}[] = {${bytes}0};\n")
endforeach()
file(WRITE ${OUTPUT} "${text}")
