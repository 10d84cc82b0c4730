// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <freshet/codec_format.hpp>
#include <freshet/detail/chrono.hpp>
#include <freshet/error.hpp>
#include <freshet/events.hpp>
#include <freshet/headers.hpp>

namespace spdlog {
class logger;
}

namespace freshet {

/// Credentials: one of these, or nothing.
struct UserPassword {
    std::string user = {};
    std::string password = {};
};
struct Token {
    std::string token = {};
};
/// An nkey: its seed (`SU...`), which stays in memory.
struct NkeySeed {
    std::string seed = {};
};
/// A file that holds an nkey's seed. Read again at each reconnect, and forgotten.
struct NkeyFile {
    std::string path = {};
};
/// A `.creds` file: user JWT and nkey seed. Read again at each reconnect, so it can be rotated.
struct CredsFile {
    std::string path = {};
};
/// The content of a `.creds` file.
struct CredsMemory {
    std::string content = {};
};
using Credentials = std::variant<std::monostate, UserPassword, Token, NkeySeed, NkeyFile, CredsFile, CredsMemory>;

/// Who must be at the other end of a TLS connection.
struct VerifyServer {
    std::string expected_name = {};  ///< name in the certificate; empty: the host of the URL
};
/// Says on purpose that anyone may be at the other end: for tests with self-signed certificates only.
struct SkipServerVerification {};

/// TLS. Used when `enabled`, and whenever the URL says `tls://` or the server requires it.
struct TlsOptions {
    bool enabled = false;          ///< require TLS (default: only if URL or server ask for it)
    std::string ca_file = {};      ///< PEM file of trusted authorities (default: the system's)
    std::string certificate = {};  ///< PEM file of the client's certificate chain (default: none)
    std::string private_key = {};  ///< PEM file of the client's key; needed with `certificate`
    bool handshake_first = false;  ///< start TLS before the server's first line; needs a server configured so
    std::variant<VerifyServer, SkipServerVerification> verify = VerifyServer{};
};

/// What happens when the connection is lost.
struct ReconnectOptions {
    bool enabled = true;                              ///< false: close when the connection is lost
    int max_attempts = -1;                            ///< per server; -1: for ever
    std::chrono::milliseconds min_wait{100};          ///< first wait; doubles with each round of all servers
    std::chrono::milliseconds max_wait{5'000};        ///< the longest wait; every wait is jittered by half
    std::size_t buffer_bytes = std::size_t{8} << 20;  ///< publications kept meanwhile; then Errc::buffer_full
};

/// When the bytes of a publication leave the process.
enum class Flush : std::uint8_t {
    batched,  ///< soon, together with others
    now,      ///< before publish returns; for a lone message somebody waits for
};

/// How much freshet writes into headers of its own accord.
enum class Envelope : std::uint8_t {
    minimal,  ///< content-type and correlation_id only where they say something: another codec, a correlation in scope
    full,     ///< both on every message, as FastStream does; a header costs several times a bare publish
};

/// How a broker connects and behaves. Every field may be left out.
struct BrokerOptions {
    /// Server URLs, tried in random order. Empty: $NATS_URL (comma separated), else nats://localhost:4222.
    std::vector<std::string> servers = {};
    /// Shown in the server's connection list. Empty: the program's name.
    std::string name = {};
    /// Empty: with empty `servers`, what the environment gives ($NATS_CREDS, $NATS_USER..., see from_environment()).
    Credentials credentials = {};
    TlsOptions tls = {};
    ReconnectOptions reconnect = {};
    /// One attempt to connect to one server.
    std::chrono::milliseconds connect_timeout{2'000};
    /// How long start() keeps trying while no server answers; 0: one round. Refused credentials fail at once.
    std::chrono::milliseconds start_timeout{10'000};
    /// How long stop() lets handlers finish when it is not told.
    std::chrono::milliseconds stop_timeout{30'000};
    /// Default deadline of requests.
    std::chrono::milliseconds request_timeout{2'000};
    /// Time between pings to the server, and how many may stay unanswered before the connection counts as lost.
    std::chrono::milliseconds ping_interval{20'000};
    int max_pings_out = 2;
    /// The longest the server may leave unacknowledged what was sent, and so the longest a write may block, before the connection
    /// counts as lost. On Linux the kernel sees to it (TCP_USER_TIMEOUT), else only a write that blocks is noticed; 0: no limit.
    std::chrono::milliseconds write_timeout{10'000};
    /// Bytes of the read and of the write buffer. Less, such as cnats's 32 KiB, costs bodies of 1 KiB and more some of their rate.
    std::size_t io_buffer_bytes = std::size_t{256} << 10;
    /// Prefix of reply inboxes, without trailing dot; at most 32 characters. Useful for permissions per user.
    std::string inbox_prefix = "_INBOX";
    /// Do not receive what this broker publishes itself. It costs: one connection then does everything, since a server
    /// tells by the connection what is one's own, and each subscription has a thread.
    bool no_echo = false;
    /// Threads that deliver to all subscribers without `workers`, shared by every broker of the process and only ever
    /// growing. 0: one per core, at least 2.
    int delivery_threads = 0;
    Envelope envelope = Envelope::minimal;
    /// Format of typed bodies where the message or the call says nothing.
    Format format = Format::json;
    /// Where freshet and the handlers' Logger write. Empty: the program's default logger of spdlog if it has set one with a name,
    /// else stderr, see docs/logging.md.
    std::shared_ptr<spdlog::logger> logger = {};
    /// Called for every connection event, which is logged anyway.
    EventSink on_event = {};

    /// Defaults plus what the environment says: NATS_URL, NATS_CREDS, NATS_NKEY (a seed file), NATS_USER and NATS_PASSWORD, NATS_TOKEN,
    /// NATS_CA, NATS_CERT, NATS_KEY, NATS_INBOX_PREFIX, NATS_CONTEXT (a context of the `nats` CLI; the others override it).
    /// Throws Error(Errc::bad_setup) for contradictory or unreadable settings.
    static BrokerOptions from_environment();

    /// Defaults plus a context of the `nats` CLI (ADR-21): `$XDG_CONFIG_HOME/nats/context/NAME.json`; empty name: the selected
    /// context. Throws Error(Errc::not_found) or Error(Errc::bad_setup).
    static BrokerOptions from_context(const std::string& name = {});
};

/// Options of one publication.
struct PublishOptions {
    Headers headers = {};
    std::string reply_to = {};          ///< where answers should go
    std::optional<Format> format = {};  ///< of a typed body; default: the broker's
    Flush flush = Flush::batched;       ///< now: on the socket before publish returns
};

/// Options of one request.
struct RequestOptions {
    /// The deadline. 0: the broker's request_timeout; negative: it has passed, and nothing is sent.
    std::chrono::milliseconds timeout{0};
    Headers headers = {};
    std::optional<Format> format = {};  ///< of a typed body; default: the broker's
};

/// Options of a request that several answer (ADR-47). It ends at the first of these.
struct RequestManyOptions {
    std::chrono::milliseconds timeout{0};  ///< in all; 0: the broker's request_timeout
    std::chrono::milliseconds stall{0};    ///< time without another answer; 0: do not stop for that
    std::size_t max_replies = 0;           ///< 0: any number
    Headers headers = {};
    std::optional<Format> format = {};
    bool ends_at_empty = true;  ///< an answer without a body says that there are no more, and is not given
};

}  // namespace freshet
