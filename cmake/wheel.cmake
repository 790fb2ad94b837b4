# How the library of the wheel (tools/wheel.sh) is built: what it needs of other libraries is looked for beside it.
add_link_options(-Wl,--as-needed)
set(CMAKE_INSTALL_RPATH "$ORIGIN:$ORIGIN/../..")
