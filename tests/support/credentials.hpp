// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace freshet::testing {

// Keys and tokens for tests only: they open nothing. Made of fixed bytes, without an expiry.

/// An nkey of a user.
inline constexpr std::string_view nkey_seed = "SUADPW5X7HNFSYQ436B52733JYJ3QU5NRB6N53F5VI5SAQALNXYIPOOTZE";

/// Its public key.
inline constexpr std::string_view nkey_public = "UAU2SCJ56RMKGP2OEKMX6URSFRT767NIYWPRC3F3IKIZUISPS66IK3V5";

/// An nkey that no server of a test knows.
inline constexpr std::string_view other_nkey_seed = "SUAD2VMBBM52O264VETHMPOXHRX2MPDEFUVLV2ALRBVRBGAR6HZVSTKL6Q";

/// Who signed account_jwt.
inline constexpr std::string_view operator_jwt =
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJlZDI1NTE5LW5rZXkifQ.eyJqdGkiOiJvcGVyYXRvciIsImlhdCI6MTcwMDAwMDAwMCwiaXNzI"
    "joiT0JKQ0dSUEdUTkRNVVFTNUZGNVEzS01ZSVdZQk1HTzRJWENRTE82RlNaMkFBV1ZSVE9NSDJLR0MiLCJuYW1lIjoib3BlcmF0b"
    "3IiLCJzdWIiOiJPQkpDR1JQR1RORE1VUVM1RkY1UTNLTVlJV1lCTUdPNElYQ1FMTzZGU1oyQUFXVlJUT01IMktHQyIsIm5hdHMiO"
    "nsidHlwZSI6Im9wZXJhdG9yIiwidmVyc2lvbiI6Mn19.eEGKbFpzn44XAfoO4zQgk4_bYGkfs-MrSuGH5uUQAyynR3_RxgT2HERl"
    "RKDUCM-d_6ONXKqlgTyjPyRT0yIMAw";

/// The account's public key.
inline constexpr std::string_view account_public = "ACICLENFDCULLW3AL7ACW7S6E3DTNOM4ONVHUG6VGACE2DGCIKR6TST6";

/// Signed user_jwt.
inline constexpr std::string_view account_jwt =
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJlZDI1NTE5LW5rZXkifQ.eyJqdGkiOiJhY2NvdW50IiwiaWF0IjoxNzAwMDAwMDAwLCJpc3MiO"
    "iJPQkpDR1JQR1RORE1VUVM1RkY1UTNLTVlJV1lCTUdPNElYQ1FMTzZGU1oyQUFXVlJUT01IMktHQyIsIm5hbWUiOiJhY2NvdW50I"
    "iwic3ViIjoiQUNJQ0xFTkZEQ1VMTFczQUw3QUNXN1M2RTNEVE5PTTRPTlZIVUc2VkdBQ0UyREdDSUtSNlRTVDYiLCJuYXRzIjp7I"
    "mxpbWl0cyI6eyJzdWJzIjotMSwiZGF0YSI6LTEsInBheWxvYWQiOi0xLCJpbXBvcnRzIjotMSwiZXhwb3J0cyI6LTEsIndpbGRjY"
    "XJkcyI6dHJ1ZSwiY29ubiI6LTEsImxlYWYiOi0xfSwiZGVmYXVsdF9wZXJtaXNzaW9ucyI6eyJwdWIiOnt9LCJzdWIiOnt9fSwid"
    "HlwZSI6ImFjY291bnQiLCJ2ZXJzaW9uIjoyfX0.X5X6Cw-wgdUL2llIbVeueHlRlEGR7q0hmM5MXZhJldjeRhwPpMUZrkDb1uKeX"
    "mJNCoEBI3I8lWdKQp5i0g_7BQ";

/// For the user of nkey_seed.
inline constexpr std::string_view user_jwt =
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJlZDI1NTE5LW5rZXkifQ.eyJqdGkiOiJ1c2VyIiwiaWF0IjoxNzAwMDAwMDAwLCJpc3MiOiJBQ"
    "0lDTEVORkRDVUxMVzNBTDdBQ1c3UzZFM0RUTk9NNE9OVkhVRzZWR0FDRTJER0NJS1I2VFNUNiIsIm5hbWUiOiJ1c2VyIiwic3ViI"
    "joiVUFVMlNDSjU2Uk1LR1AyT0VLTVg2VVJTRlJUNzY3TklZV1BSQzNGM0lLSVpVSVNQUzY2SUszVjUiLCJuYXRzIjp7InB1YiI6e"
    "30sInN1YiI6e30sInN1YnMiOi0xLCJkYXRhIjotMSwicGF5bG9hZCI6LTEsInR5cGUiOiJ1c2VyIiwidmVyc2lvbiI6Mn19.nQDt"
    "vX5-Ugy8gAGEDBZA-rA5qL6vvt4_2Z6KPedXK4PPxI4idcmEOjuxgwCuKi28FeSEYvu5RaRZWoH0ZPB8AQ";

/// A server configuration that knows this operator and account.
inline std::string operator_config() {
    return "operator: " + std::string{operator_jwt} + "\nresolver: MEMORY\nresolver_preload: { " +
           std::string{account_public} + ": " + std::string{account_jwt} + " }";
}

/// A `.creds` file's content.
inline std::string creds_content(std::string_view jwt = user_jwt, std::string_view seed = nkey_seed) {
    return "-----BEGIN NATS USER JWT-----\n" + std::string{jwt} + "\n------END NATS USER JWT------\n\n" +
           "-----BEGIN USER NKEY SEED-----\n" + std::string{seed} + "\n------END USER NKEY SEED------\n";
}

}  // namespace freshet::testing
