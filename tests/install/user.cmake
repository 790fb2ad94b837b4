# The CMakeLists.txt of a user's program.
cmake_minimum_required(VERSION 3.25)
project(user LANGUAGES C)
find_package(tenon 0.1 REQUIRED)
add_executable(user main.c)
target_link_libraries(user PRIVATE tenon::tenon)
