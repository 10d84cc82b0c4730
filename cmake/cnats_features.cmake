# SPDX-License-Identifier: Apache-2.0
# Which functions newer than cnats 3.4 there are, as definitions for src/ only: FRESHET_HAS_<the function in capitals>.
# cnats's version number does not tell: a beta bears the number of the release that follows it.

include(CheckCXXSourceCompiles)
include(CheckCXXSymbolExists)

set(freshet_cnats_features)
block(PROPAGATE freshet_cnats_features)
    set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY) # compile only: a fetched cnats is not built yet
    set(CMAKE_REQUIRED_INCLUDES ${freshet_cnats_include})
    set(CMAKE_REQUIRED_QUIET ON)
    foreach(function IN ITEMS
        natsConnection_GetConnectedServerName
        natsConnection_ReadLastError
        natsConnection_Reconnect
        natsConnection_Send
        natsOptions_LoadCertificatesChainDynamic
        natsOptions_SetIgnoreAuthErrorAbort
        natsOptions_SetProxyConnHandler
        natsOptions_SetReconnectOnProtocolError
        natsOptions_SetUserCredentialsFromMemory
        natsOptions_TLSHandshakeFirst
    )
        string(TOUPPER FRESHET_HAS_${function} feature)
        check_cxx_symbol_exists(${function} nats/nats.h ${feature})
        if(${feature})
            list(APPEND freshet_cnats_features ${feature})
        endif()
    endforeach()
    check_cxx_source_compiles("#include <nats/nats.h>
        natsClientConfig config{.ThreadStartedHandler = nullptr};" FRESHET_HAS_THREADSTARTEDHANDLER)
    if(FRESHET_HAS_THREADSTARTEDHANDLER)
        list(APPEND freshet_cnats_features FRESHET_HAS_THREADSTARTEDHANDLER)
    endif()
endblock()
