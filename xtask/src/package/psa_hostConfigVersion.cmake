# A version fits if its first number is the one asked for and it is not older.

set(PACKAGE_VERSION "@VERSION@")
string(REGEX MATCH "^[0-9]+" _psa_host_major "${PACKAGE_VERSION}")

if(PACKAGE_FIND_VERSION_MAJOR STREQUAL _psa_host_major AND NOT PACKAGE_VERSION VERSION_LESS PACKAGE_FIND_VERSION)
    set(PACKAGE_VERSION_COMPATIBLE TRUE)
    if(PACKAGE_VERSION VERSION_EQUAL PACKAGE_FIND_VERSION)
        set(PACKAGE_VERSION_EXACT TRUE)
    endif()
else()
    set(PACKAGE_VERSION_COMPATIBLE FALSE)
endif()

# The library has one word size; a program of another cannot use it.
if(CMAKE_SIZEOF_VOID_P AND NOT CMAKE_SIZEOF_VOID_P EQUAL 8)
    set(PACKAGE_VERSION_UNSUITABLE TRUE)
endif()

unset(_psa_host_major)
