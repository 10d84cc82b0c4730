// SPDX-License-Identifier: Apache-2.0
#include "link/request_mux.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include <fmt/core.h>

#include <freshet/text.hpp>

#include "base/callback_scope.hpp"
#include "base/error_state.hpp"
#include "base/quoted.hpp"
#include "base/random_id.hpp"

namespace freshet::detail {
namespace {

constexpr int status_no_responders = 503;

// The number of slots that a sweep checks before it lets others take the lock, and the least time between sweeps:
// together they keep the cost of deadlines at some percent of one core, however many requests are in flight.
constexpr std::size_t slots_per_lock = 1'024;
constexpr std::chrono::nanoseconds sweep_pause{std::chrono::milliseconds{1}};
constexpr std::chrono::nanoseconds sweep_pause_per_slot{100};

// The last token of a reply subject is two numbers: the index of a slot, and the number of the request in that slot.
// Each takes as many digits as it needs, of 5 bits each, the lowest first; the sixth bit says that another digit
// follows.
constexpr std::string_view base64 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";
constexpr unsigned bits_per_digit = 5;
constexpr unsigned more = 1U << bits_per_digit;
constexpr unsigned char no_digit = 0xff;

constexpr auto digit_values = [] {
    std::array<unsigned char, 256> values{};
    values.fill(no_digit);
    for (std::size_t i = 0; i < base64.size(); ++i)
        values[static_cast<unsigned char>(base64[i])] = static_cast<unsigned char>(i);
    return values;
}();

char* write_number(std::uint32_t number, char* out) noexcept {
    for (; number >= more; number >>= bits_per_digit) *out++ = base64[(number & (more - 1)) | more];
    *out++ = base64[number];
    return out;
}

/// Removes a number from the front of `text` and returns it. Returns nothing if there is none.
std::optional<std::uint32_t> read_number(std::string_view& text) noexcept {
    std::uint64_t number = 0;
    for (unsigned shift = 0; !text.empty() && shift < 32; shift += bits_per_digit) {
        const unsigned digit = digit_values[static_cast<unsigned char>(text.front())];
        text.remove_prefix(1);
        if (digit == no_digit) return std::nullopt;
        number |= std::uint64_t{digit & (more - 1)} << shift;
        if ((digit & more) != 0) continue;
        if (number > std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
        return static_cast<std::uint32_t>(number);
    }
    return std::nullopt;
}

constexpr std::uint64_t number_of(std::uint32_t slot, std::uint32_t request) noexcept {
    return std::uint64_t{request} << 32 | slot;
}

std::optional<std::uint64_t> number_in(std::string_view subject) noexcept {
    const auto dot = subject.rfind('.');
    if (dot == std::string_view::npos) return std::nullopt;
    auto token = subject.substr(dot + 1);
    const auto slot = read_number(token);
    const auto request = read_number(token);
    if (!slot || !request || !token.empty()) return std::nullopt;
    return number_of(*slot, *request);
}

TimePoint later(TimePoint from, std::chrono::nanoseconds by) {
    return by < TimePoint::max() - from ? from + by : TimePoint::max();
}

Error timeout_error(std::string_view subject, std::chrono::nanoseconds timeout) {
    return {Errc::timeout, fmt::format("no answer from {} within {:g} ms", quoted(subject),
                                       std::chrono::duration<double, std::milli>{timeout}.count())};
}

Error no_responders_error(std::string_view subject) {
    return {
        Errc::no_responders,
        fmt::format("nobody listens on {}; start the service, or check the subject and the account", quoted(subject))};
}

/// Returns the error that the other side answered with (ADR-32), or nothing.
std::optional<Error> answered_error(const Message& message, std::string_view subject) {
    const auto description = message.header("Nats-Service-Error");
    const auto code_text = message.header("Nats-Service-Error-Code");
    if (!description && !code_text) return std::nullopt;
    const int code = FromText<int>::parse(code_text.value_or("")).value_or(0);
    return remote_error(fmt::format("{} answered with error {}", quoted(subject), code),
                        {.code = code,
                         .description = description.value_or(""),
                         .body = message.text(),
                         .content_type = message.header("content-type").value_or("")});
}

Expected<Message> judge(Message message, int status, std::string_view subject) {
    if (status == status_no_responders) return std::unexpected{no_responders_error(subject)};
    if (auto error = answered_error(message, subject)) return std::unexpected{*std::move(error)};
    return message;
}

int status_of(const Message& message) { return message.payload().empty() ? message.status() : 0; }

/// Returns `why` with the subject of one request in front.
Error unanswered(std::string_view subject, const Error& why) noexcept {
    try {
        return {why.code(), fmt::format("no answer from {}: {}", quoted(subject), why.message())};
    } catch (...) { return why; }  // no memory for the text
}

void end_with(ReplySink& sink, const std::optional<Error>& why) noexcept {
    if (why) sink.on_reply(std::unexpected{*why});
    sink.on_end();
}

}  // namespace

/// The additional state of a request for many answers.
struct RequestMux::Many {
    TimePoint deadline = {};
    std::chrono::nanoseconds stall = {};
    std::size_t replies_left = 0;  // 0: any number
    bool ends_at_empty = true;
    bool delivering = false;  // the sink is being called: only that call may release the slot
    bool ended = false;       // the request was cancelled or finished during that call
    std::optional<Error> end_reason = {};
};

struct RequestMux::Slot {
    explicit Slot(std::uint32_t position) noexcept : index{position} {}

    std::uint64_t number() const noexcept { return number_of(index, generation); }

    const std::uint32_t index;
    std::uint32_t generation = 0;  // counts the requests that used the slot, so that no late reply reaches the next one
    ReplySink* sink = nullptr;     // null: free
    TimePoint deadline = {};
    std::chrono::nanoseconds timeout = {};
    std::unique_ptr<Many> many = {};
    Slot* next_free = nullptr;
};

struct RequestMux::Expired {
    ReplySink* sink;
    std::chrono::nanoseconds timeout;
    bool many;
};

RequestMux::RequestMux(Clock& clock, std::string_view inbox_prefix)
    : clock_{clock},
      inbox_{fmt::format("{}.{}.", inbox_prefix.substr(0, max_prefix), random_id(id_size))},
      inbox_wildcard_{inbox_ + '*'} {}

RequestMux::~RequestMux() {
    close({Errc::closed, "the broker was stopped"});
    clock_.cancel_and_wait(timer_);
}

Expected<RequestMux::Ticket> RequestMux::open(ReplySink& sink, std::chrono::nanoseconds timeout) {
    return open(sink, timeout, nullptr);
}

Expected<RequestMux::Ticket> RequestMux::open_many(ReplySink& sink, const ManyLimits& limits) {
    return open(sink, limits.timeout,
                std::make_unique<Many>(Many{
                    .stall = limits.stall, .replies_left = limits.max_replies, .ends_at_empty = limits.ends_at_empty}));
}

Expected<RequestMux::Ticket> RequestMux::open(ReplySink& sink, std::chrono::nanoseconds timeout,
                                              std::unique_ptr<Many> many) {
    const auto deadline = later(clock_.now(), timeout);
    const std::lock_guard lock{mutex_};
    if (closed_) return std::unexpected{unanswered(sink.subject(), *closed_)};
    Slot& slot = take_slot();
    slot.sink = &sink;
    slot.deadline = deadline;
    slot.timeout = timeout;
    slot.many = std::move(many);
    if (slot.many) slot.many->deadline = deadline;
    try {
        arm(deadline);
    } catch (...) {  // the clock has no memory or no thread
        release(slot);
        throw;
    }
    return ticket_for(slot);
}

RequestMux::Slot& RequestMux::take_slot() {
    if (free_ == nullptr) free_ = &slots_.emplace_back(static_cast<std::uint32_t>(slots_.size()));
    in_flight_.store(in_flight() + 1, std::memory_order_relaxed);
    return *std::exchange(free_, free_->next_free);
}

RequestMux::Slot* RequestMux::find(std::uint64_t number) noexcept {
    const auto index = static_cast<std::uint32_t>(number);
    if (index >= slots_.size()) return nullptr;
    Slot& slot = slots_[index];
    return slot.sink != nullptr && slot.number() == number ? &slot : nullptr;
}

ReplySink& RequestMux::release(Slot& slot) noexcept {
    in_flight_.store(in_flight() - 1, std::memory_order_relaxed);
    ++slot.generation;
    slot.many.reset();
    slot.next_free = std::exchange(free_, &slot);
    return *std::exchange(slot.sink, nullptr);
}

RequestMux::Ticket RequestMux::ticket_for(const Slot& slot) const noexcept {
    Ticket ticket;
    ticket.number_ = slot.number();
    auto* end = std::ranges::copy(inbox_, ticket.text_.data()).out;
    end = write_number(slot.generation, write_number(slot.index, end));
    *end = '\0';
    ticket.size_ = static_cast<std::uint8_t>(end - ticket.text_.data());
    return ticket;
}

void RequestMux::on_reply(Message message) noexcept {
    const auto number = number_in(message.subject());
    std::unique_lock lock{mutex_};
    Slot* slot = number ? find(*number) : nullptr;
    if (slot == nullptr || !slot->sink->accepts(message)) return;
    if (slot->many) return deliver_one_of_many(lock, *slot, std::move(message));
    ReplySink& sink = release(*slot);
    lock.unlock();
    const int status = status_of(message);
    sink.on_reply(judge(std::move(message), status, sink.subject()));
    sink.on_end();
}

void RequestMux::deliver_one_of_many(std::unique_lock<std::mutex>& lock, Slot& slot, Message message) noexcept {
    Many& many = *slot.many;
    ReplySink& sink = *slot.sink;
    many.delivering = true;
    slot.deadline = TimePoint::max();  // the time that the sink takes does not count
    lock.unlock();

    const int status = status_of(message);
    auto reply = judge(std::move(message), status, sink.subject());
    const bool sentinel = many.ends_at_empty && status == 0 && reply && reply->payload().empty();
    if (!sentinel) sink.on_reply(std::move(reply));

    const auto now = clock_.now();
    lock.lock();
    many.delivering = false;
    if (many.ended || sentinel || status != 0 || many.replies_left == 1) {
        const auto why = std::move(many.end_reason);
        release(slot);
        lock.unlock();
        return end_with(sink, why);
    }
    if (many.replies_left != 0) --many.replies_left;
    slot.deadline = many.stall.count() > 0 ? std::min(many.deadline, later(now, many.stall)) : many.deadline;
    arm(slot.deadline);
}

void RequestMux::cancel(const Ticket& ticket, const Error& error) noexcept { end(ticket.number_, error); }
void RequestMux::finish(const Ticket& ticket) noexcept { end(ticket.number_, std::nullopt); }

void RequestMux::end(std::uint64_t number, const std::optional<Error>& why) noexcept {
    std::unique_lock lock{mutex_};
    Slot* slot = find(number);
    if (slot == nullptr) return;
    ReplySink& sink = *slot->sink;
    if (!release_or_mark(*slot, why)) return;
    lock.unlock();
    end_with(sink, why);
}

bool RequestMux::release_or_mark(Slot& slot, const std::optional<Error>& why) {
    if (slot.many && slot.many->delivering) {
        if (!std::exchange(slot.many->ended, true)) slot.many->end_reason = why;
        return false;
    }
    release(slot);
    return true;
}

template <class Why>
void RequestMux::cancel_where(Why why) noexcept {
    std::unique_lock lock{mutex_};
    for (std::size_t index = 0; index < slots_.size(); ++index) {
        ReplySink* sink = slots_[index].sink;
        if (sink == nullptr) continue;
        const std::optional<Error> error = why(sink->subject());
        if (!error || !release_or_mark(slots_[index], error)) continue;
        lock.unlock();
        end_with(*sink, error);
        lock.lock();
    }
}

void RequestMux::cancel_all(const Error& error) noexcept {
    cancel_where([&](std::string_view subject) -> std::optional<Error> { return unanswered(subject, error); });
}

void RequestMux::cancel_on(std::string_view subject, const Error& error) noexcept {
    if (subject.starts_with(inbox_)) {
        if (const auto number = number_in(subject)) end(*number, error);
        return;
    }
    cancel_where([&](std::string_view asked) { return asked == subject ? std::optional{error} : std::nullopt; });
}

void RequestMux::close(const Error& error) noexcept {
    {
        const std::lock_guard lock{mutex_};
        if (!closed_) closed_ = error;
    }
    cancel_all(error);
}

// Schedules at most one timer, at or before the earliest deadline. Most requests end long before theirs, so nothing is
// scheduled or cancelled for them.
void RequestMux::arm(TimePoint when) {
    if (when >= sweep_at_ || closed_) return;  // after close() nothing is left to end, and the clock may go
    // A running sweep arms the next one, and one that is about to begin will see this deadline.
    const bool coming = sweeping_ || (armed_ && !clock_.cancel(timer_));
    if (!coming) {
        armed_ = false;
        sweep_at_ = TimePoint::max();  // keeps this value if schedule() throws
        timer_ = clock_.schedule(std::max(when, sweep_not_before_), [this] { sweep(); });
        armed_ = true;
    }
    sweep_at_ = when;
}

void RequestMux::sweep() noexcept {
    const NoWaitScope scope;
    const auto now = clock_.now();
    auto next_deadline = TimePoint::max();
    {
        const std::lock_guard lock{mutex_};
        armed_ = false;
        sweeping_ = true;
        sweep_at_ = TimePoint::max();
    }
    for (std::size_t index = 0; auto expired = next_expired(index, now, next_deadline);) {
        if (expired->sink == nullptr) continue;
        if (!expired->many)
            expired->sink->on_reply(std::unexpected{timeout_error(expired->sink->subject(), expired->timeout)});
        expired->sink->on_end();
    }
    const std::lock_guard lock{mutex_};
    sweeping_ = false;
    sweep_not_before_ = now + sweep_pause + sweep_pause_per_slot * slots_.size();
    arm(std::min(next_deadline, std::exchange(sweep_at_, TimePoint::max())));
}

/// Looks for an expired request from `index` on, among a limited number of slots. Returns nothing at the end of the
/// table, and a null sink if none of those slots had expired.
std::optional<RequestMux::Expired> RequestMux::next_expired(std::size_t& index, TimePoint now,
                                                            TimePoint& next_deadline) {
    const std::lock_guard lock{mutex_};
    if (index >= slots_.size()) return std::nullopt;
    for (const auto end = std::min(index + slots_per_lock, slots_.size()); index < end; ++index) {
        Slot& slot = slots_[index];
        if (slot.sink == nullptr || slot.deadline == TimePoint::max()) continue;
        if (slot.deadline > now) {
            next_deadline = std::min(next_deadline, slot.deadline);
            continue;
        }
        const bool many = slot.many != nullptr;
        const auto timeout = slot.timeout;
        ++index;
        return Expired{&release(slot), timeout, many};
    }
    return Expired{nullptr, {}, false};
}

}  // namespace freshet::detail
