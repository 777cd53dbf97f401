# Two targets: psa_host::psa_host, the shared library, and psa_host::static.
# psa_host_PLUGIN_DIR is the folder of the plugins. Everything is found from where this file lies.

get_filename_component(_psa_host_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
set(psa_host_PLUGIN_DIR "${_psa_host_prefix}/lib/psa_host/plugins")

if(NOT TARGET psa_host::psa_host)
    add_library(psa_host::psa_host SHARED IMPORTED)
    set_target_properties(psa_host::psa_host PROPERTIES
        IMPORTED_LOCATION "${_psa_host_prefix}/lib/@REAL_NAME@"
        IMPORTED_SONAME "@SONAME@"
        INTERFACE_INCLUDE_DIRECTORIES "${_psa_host_prefix}/include")
endif()

if(NOT TARGET psa_host::static)
    add_library(psa_host::static STATIC IMPORTED)
    set_target_properties(psa_host::static PROPERTIES
        IMPORTED_LOCATION "${_psa_host_prefix}/lib/libpsa_host.a"
        INTERFACE_COMPILE_DEFINITIONS "PSA_HOST_STATIC"
        INTERFACE_INCLUDE_DIRECTORIES "${_psa_host_prefix}/include"
        INTERFACE_LINK_LIBRARIES "@NATIVE_NAMES@")
endif()

unset(_psa_host_prefix)
