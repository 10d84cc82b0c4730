// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <freshet/about.hpp>
#include <freshet/codec_format.hpp>
#include <freshet/detail/chrono.hpp>
#include <freshet/error.hpp>
#include <freshet/events.hpp>
#include <freshet/headers.hpp>

namespace spdlog {
class logger;
}

namespace freshet {

/// User name and password.
struct UserPassword {
    std::string user = {};      ///< user name; empty by default
    std::string password = {};  ///< password; empty by default
};
/// A token.
struct Token {
    std::string token = {};  ///< the token; empty by default
};
/// An nkey, given as its seed (`SU...`), which stays in memory.
struct NkeySeed {
    std::string seed = {};  ///< the seed
};
/// A file that holds an nkey's seed, read again at each reconnect; no copy is kept. Another nkey needs a new start.
struct NkeyFile {
    std::string path = {};
};
/// A `.creds` file with user JWT and nkey seed. It is read again at each reconnect, so it can be rotated.
struct CredsFile {
    std::string path = {};
};
/// The content of a `.creds` file.
struct CredsMemory {
    std::string content = {};  ///< user JWT and nkey seed, as in the file
};
/// A user's JWT and the seed of its nkey, as two values, which stay in memory.
struct JwtAndSeed {
    std::string jwt = {};   ///< the user's JWT (`eyJ...`)
    std::string seed = {};  ///< the seed of the nkey in it (`SU...`)
};

// The functions below give credentials that are kept elsewhere, such as in a vault. freshet calls them before each
// round of attempts to connect, on the thread that connects, where they may block. An exception ends the attempt;
// freshet tells its text. They must stay callable until the broker is destroyed.

/// A function that gives the token.
struct TokenCallback {
    std::function<std::string()> token = {};  ///< returns the token; needed
};
/// A function that gives user name and password.
struct UserPasswordCallback {
    std::function<UserPassword()> user_password = {};  ///< returns both; needed
};
/// Functions that give a user's JWT and sign with its nkey, whose seed may stay in a vault or an HSM.
struct JwtCallback {
    std::function<std::string()> jwt = {};                   ///< returns the JWT; needed
    std::function<std::string(std::string_view)> sign = {};  ///< returns the Ed25519 signature of a nonce: 64 bytes
};
/// An nkey whose seed may stay in a vault or an HSM.
struct NkeyCallback {
    std::string public_key = {};                             ///< the public key (`U...`)
    std::function<std::string(std::string_view)> sign = {};  ///< returns the Ed25519 signature of a nonce: 64 bytes
};

/// The credentials of a connection: one kind, or none (the default).
using Credentials = std::variant<std::monostate, UserPassword, Token, NkeySeed, NkeyFile, CredsFile, CredsMemory,
                                 JwtAndSeed, TokenCallback, UserPasswordCallback, JwtCallback, NkeyCallback>;

/// Verifies the server of a TLS connection by its certificate.
struct VerifyServer {
    std::string expected_name = {};  ///< name that must be in the certificate; empty: the host of the URL
};
/// Turns the verification of the server off, so that anyone may be at the other end: for tests with self-signed
/// certificates only.
struct SkipServerVerification {};

/// TLS settings. TLS is used when `enabled` is true, and whenever the URL says `tls://` or the server requires it.
struct TlsOptions {
    bool enabled = false;      ///< require TLS (default: only if URL or server ask for it)
    std::string ca_file = {};  ///< PEM file of trusted authorities (default: the system's)
    /// PEM file of the client's certificate chain. It and `private_key` are read again for each connection, so that
    /// they can be replaced while the program runs; an encrypted key only once. Default: none.
    std::string certificate = {};
    std::string private_key = {};  ///< PEM file of the client's key; needed with `certificate`
    bool handshake_first = false;  ///< start TLS before the server's first line; needs a server configured so
    /// how the server is verified; default: by its certificate and the host of the URL
    std::variant<VerifyServer, SkipServerVerification> verify = VerifyServer{};
    std::string ca_pem = {};           ///< trusted authorities as PEM text instead of `ca_file` (default: none)
    std::string certificate_pem = {};  ///< the client's certificate chain as PEM text instead of `certificate`
    std::string private_key_pem = {};  ///< the client's key as PEM text; needed with `certificate_pem`
    /// Returns the passphrase of an encrypted private key; called when the broker starts. Default: none, and an
    /// encrypted key is refused; nobody is ever asked on a terminal.
    std::function<std::string()> passphrase = {};
};

/// Reconnecting after the connection was lost.
struct ReconnectOptions {
    bool enabled = true;                              ///< false: close the connection for good when it is lost
    int max_attempts = -1;                            ///< attempts per server; -1: for ever
    std::chrono::milliseconds min_wait{100};          ///< first wait; it doubles with each round of all servers
    std::chrono::milliseconds max_wait{5'000};        ///< the longest wait; every wait is jittered by half
    std::size_t buffer_bytes = std::size_t{8} << 20;  ///< bytes of publications kept meanwhile; then Errc::buffer_full
};

/// When the bytes of a publication leave the process.
enum class Flush : std::uint8_t {
    batched,  ///< soon, together with others
    now,      ///< before publish returns; for a single message that somebody waits for
};

/// The headers that freshet itself adds to messages.
enum class Envelope : std::uint8_t {
    minimal,  ///< content-type and correlation_id only where needed: another format than JSON, a correlation id
    full,     ///< both on every message, as FastStream does; it costs several times a bare publish
};

/// How a broker connects and behaves. Every field may be left out.
struct BrokerOptions {
    /// Server URLs, tried in random order unless `no_randomize` is set. Default (empty): $NATS_URL (comma separated),
    /// else nats://localhost:4222.
    std::vector<std::string> servers = {};
    /// Name in the server's list of connections. Default (empty): the program's name.
    std::string name = {};
    /// Credentials of the connection. Default (none): if `servers` is empty too, the credentials of the environment
    /// ($NATS_CREDS, $NATS_USER..., see from_environment()).
    Credentials credentials = {};
    /// TLS settings. Default: TLS only if the URL or the server asks for it.
    TlsOptions tls = {};
    /// Reconnecting after a lost connection. Default: for ever.
    ReconnectOptions reconnect = {};
    /// The longest time for one attempt to connect to one server. Default: 2 s.
    std::chrono::milliseconds connect_timeout{2'000};
    /// How long start() keeps trying while no server answers; 0: one attempt per server. Refused credentials fail at
    /// once. Default: 10 s.
    std::chrono::milliseconds start_timeout{10'000};
    /// How long stop() lets handlers finish when it is called without a time. Default: 30 s.
    std::chrono::milliseconds stop_timeout{30'000};
    /// Deadline of requests that name none. Default: 2 s.
    std::chrono::milliseconds request_timeout{2'000};
    /// Time between pings to the server. Default: 20 s.
    std::chrono::milliseconds ping_interval{20'000};
    /// Number of pings that may stay unanswered before the connection counts as lost. Default: 2.
    int max_pings_out = 2;
    /// The longest time for which the server may leave sent bytes unacknowledged, and so the longest time for which a
    /// write may block, before the connection counts as lost; 0: no limit. On Linux the kernel checks it
    /// (TCP_USER_TIMEOUT); elsewhere only a write that blocks is noticed. Default: 10 s.
    std::chrono::milliseconds write_timeout{10'000};
    /// Bytes of the read buffer and of the write buffer. With less, such as cnats's 32 KiB, bodies of 1 KiB and more
    /// lose some of their rate. Default: 256 KiB.
    std::size_t io_buffer_bytes = std::size_t{256} << 10;
    /// Prefix of reply inboxes, without a trailing dot; at most 32 characters. Useful for permissions per user.
    /// Default: "_INBOX".
    std::string inbox_prefix = "_INBOX";
    /// True: do not receive the messages that this broker publishes itself. This has a price: one connection then does
    /// everything, since the server recognises a publisher by its connection, and each subscription has a thread of its
    /// own. Default: false.
    bool no_echo = false;
    /// Number of threads that deliver to all subscribers without `workers`. Every broker of the process shares them;
    /// the number only ever grows. Default (0): one per core, at least 2.
    int delivery_threads = 0;
    /// The headers that freshet adds to messages. Default: only those that are needed.
    Envelope envelope = Envelope::minimal;
    /// Format of typed bodies where neither the message nor the call names one. Default: JSON.
    Format format = Format::json;
    /// The spdlog logger that freshet and the handlers' Logger write to. Default (null): the program's default logger
    /// of spdlog if the program has set one with a name, else stderr; see docs/logging.md.
    std::shared_ptr<spdlog::logger> logger = {};
    /// Function that is called for every connection event; freshet logs the events in any case. Default: none.
    EventSink on_event = {};
    /// False: an App goes on without this broker when no server has answered within `start_timeout`; freshet tries on,
    /// and the broker's subscribers start when one answers. Broker::start of such a broker blocks until then.
    /// Default: true.
    bool critical = true;
    /// True: try the servers in the order of `servers`, so that the first is preferred. Default: false.
    bool no_randomize = false;
    /// Function that makes the connection to a server's host and port instead of freshet, for a proxy such as SOCKS:
    /// returns a connected stream socket, which then belongs to freshet, or throws. Called on the thread that connects
    /// or reconnects; may block for about `connect_timeout`. Needs cnats 3.11 or newer. Default: none.
    std::function<int(const std::string& host, std::uint16_t port)> dial = {};
    /// True: a requester whose handler fails reads the text of the exception, whatever it is; for development. False:
    /// only what was written for it (RemoteError, on_error, why a message is rejected), else "internal error" and the
    /// correlation id; the log has the text. Default: false.
    bool expose_errors = false;
    /// What descriptions tell of the program: see docs/describe.md. Default: the title is `name`.
    About about = {};
    /// Version of the program, for descriptions. Default: none.
    std::string version = {};

    /// Returns the defaults changed by the environment: NATS_URL, NATS_CREDS, NATS_NKEY (a seed file), NATS_USER and
    /// NATS_PASSWORD, NATS_TOKEN, NATS_CA, NATS_CERT, NATS_KEY, NATS_INBOX_PREFIX, NATS_CONTEXT (a context of the
    /// `nats` CLI; the other variables override it). Throws Error(Errc::bad_setup) for contradictory or unreadable
    /// settings.
    static BrokerOptions from_environment();

    /// Returns the defaults changed by a context of the `nats` CLI (ADR-21), `$XDG_CONFIG_HOME/nats/context/NAME.json`;
    /// an empty name stands for the selected context. Throws Error(Errc::not_found) or Error(Errc::bad_setup).
    static BrokerOptions from_context(const std::string& name = {});
};

/// Options of one publication.
struct PublishOptions {
    Headers headers = {};
    std::string reply_to = {};          ///< subject on which answers are expected; default: none
    std::optional<Format> format = {};  ///< of a typed body; default: the broker's
    Flush flush = Flush::batched;       ///< when the bytes leave; now: before publish returns
};

/// Options of one request.
struct RequestOptions {
    /// Deadline. Default (0): the broker's request_timeout; negative: the deadline has passed, and nothing is sent.
    std::chrono::milliseconds timeout{0};
    Headers headers = {};
    std::optional<Format> format = {};  ///< of a typed body; default: the broker's
};

/// Options of a request that several responders answer (ADR-47). The request ends at the first limit that is reached.
struct RequestManyOptions {
    std::chrono::milliseconds timeout{0};  ///< deadline for all answers; 0: the broker's request_timeout
    std::chrono::milliseconds stall{0};    ///< the longest pause after an answer; 0: no limit
    std::size_t max_replies = 0;           ///< the number of answers to wait for; 0: any number
    Headers headers = {};
    std::optional<Format> format = {};
    bool ends_at_empty = true;  ///< an answer without a body is the end mark, and not delivered
};

}  // namespace freshet
