// SPDX-License-Identifier: Apache-2.0
#include <freshet/obj/store.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <istream>
#include <ostream>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include "base/exception_text.hpp"
#include "base/quoted.hpp"
#include "base/random_id.hpp"
#include "jetstream/store/object_bucket.hpp"

namespace freshet {
namespace obj {
namespace {

/// Returns the result of `operation`, or its exception as an Error.
template <class Operation>
auto attempt(Operation&& operation) -> Expected<decltype(operation())> {
    try {
        if constexpr (std::is_void_v<decltype(operation())>) {
            operation();
            return {};
        } else {
            return operation();
        }
    } catch (...) { return std::unexpected{detail::exception_error()}; }
}

using detail::ObjectBucket;
using detail::StoreOperation;

/// Calls `act()` and counts how it ended.
template <class Act>
auto counted(ObjectBucket& bucket, StoreOperation operation, Act&& act) {
    return bucket.store().time(operation).run(act);
}

constexpr std::uint64_t most_reserved = std::uint64_t{64} << 20;

/// Returns a function that gives parts of `bytes`, without copying them.
ObjectBucket::NextChunk chunks_of(Bytes bytes) {
    return [bytes](std::size_t size) mutable {
        const auto chunk = bytes.first(std::min(size, bytes.size()));
        bytes = bytes.subspan(chunk.size());
        return chunk;
    };
}

ObjectBucket::NextChunk chunks_of(Reader reader) {
    return [reader = std::move(reader), chunk = std::vector<std::byte>{}](std::size_t size) mutable {
        chunk.resize(size);
        std::size_t filled = 0;
        while (filled < size) {
            const auto read = reader(std::span{chunk}.subspan(filled));
            if (read == 0) break;
            filled += std::min(read, size - filled);
        }
        return Bytes{chunk}.first(filled);
    };
}

Reader reader_of(std::istream& in) {
    return [&in](std::span<std::byte> chunk) {
        in.read(reinterpret_cast<char*>(chunk.data()), static_cast<std::streamsize>(chunk.size()));
        if (in.bad()) raise({Errc::bad_payload, "reading from the std::istream failed"});
        return static_cast<std::size_t>(in.gcount());
    };
}

Writer writer_to(std::ostream& out) {
    return [&out](Bytes bytes) {
        out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
        if (!out) raise({Errc::bad_payload, "writing to the std::ostream failed"});
    };
}

[[noreturn]] void raise_system(const std::string& what) {
    raise({std::error_code{errno, std::generic_category()}, what + ": " + std::strerror(errno)});
}

/// A new file that replaces another one when it is complete.
class NewFile {
public:
    explicit NewFile(const std::string& path)
        : path_{path}, temporary_{path + "." + detail::random_id() + ".part"}, out_{temporary_, std::ios::binary} {
        if (!out_) raise_system("cannot write " + detail::quoted(temporary_));
    }
    NewFile(const NewFile&) = delete;
    NewFile& operator=(const NewFile&) = delete;
    ~NewFile() {
        std::error_code ignored;
        if (!kept_) std::filesystem::remove(temporary_, ignored);
    }

    void write(Bytes bytes) {
        if (!out_.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size())))
            raise_system("cannot write " + detail::quoted(temporary_));
    }
    void keep() {
        out_.close();
        if (!out_ || std::rename(temporary_.c_str(), path_.c_str()) != 0)
            raise_system("cannot write " + detail::quoted(path_));
        kept_ = true;
    }

private:
    std::string path_;
    std::string temporary_;
    std::ofstream out_;
    bool kept_ = false;
};

}  // namespace

Store::Store(std::shared_ptr<detail::ObjectBucket> bucket) noexcept : bucket_{std::move(bucket)} {}

std::string_view Store::bucket() const noexcept { return bucket_->store().name(); }

Info Store::put(std::string_view name, Bytes bytes, const PutOptions& options) const {
    return counted(*bucket_, StoreOperation::put,
                   [&] { return bucket_->put(name, chunks_of(bytes), bytes.size(), options); });
}
Info Store::put(std::string_view name, std::string_view bytes, const PutOptions& options) const {
    return put(name, as_bytes(bytes), options);
}
Info Store::put(std::string_view name, std::istream& in, const PutOptions& options) const {
    return counted(*bucket_, StoreOperation::put,
                   [&] { return bucket_->put(name, chunks_of(reader_of(in)), std::nullopt, options); });
}
Info Store::put(std::string_view name, const Reader& reader, const PutOptions& options) const {
    return counted(*bucket_, StoreOperation::put,
                   [&] { return bucket_->put(name, chunks_of(reader), std::nullopt, options); });
}
Info Store::put_file(std::string_view name, const std::string& path, const PutOptions& options) const {
    errno = 0;
    std::ifstream in{path, std::ios::binary};
    if (!in) raise_system("cannot read " + detail::quoted(path));
    std::error_code unknown;
    const auto size = std::filesystem::file_size(path, unknown);
    return counted(*bucket_, StoreOperation::put, [&] {
        return bucket_->put(name, chunks_of(reader_of(in)), unknown ? std::nullopt : std::optional<std::uint64_t>{size},
                            options);
    });
}

Expected<Info> Store::try_put(std::string_view name, Bytes bytes, const PutOptions& options) const {
    return attempt([&] { return put(name, bytes, options); });
}
Expected<Info> Store::try_put(std::string_view name, std::string_view bytes, const PutOptions& options) const {
    return attempt([&] { return put(name, bytes, options); });
}
Expected<Info> Store::try_put(std::string_view name, std::istream& in, const PutOptions& options) const {
    return attempt([&] { return put(name, in, options); });
}
Expected<Info> Store::try_put(std::string_view name, const Reader& reader, const PutOptions& options) const {
    return attempt([&] { return put(name, reader, options); });
}
Expected<Info> Store::try_put_file(std::string_view name, const std::string& path, const PutOptions& options) const {
    return attempt([&] { return put_file(name, path, options); });
}

Info Store::get(std::string_view name, const Writer& writer, const GetOptions& options) const {
    return counted(*bucket_, StoreOperation::get, [&] { return bucket_->get(name, writer, options); });
}
Info Store::get(std::string_view name, std::ostream& out, const GetOptions& options) const {
    return get(name, writer_to(out), options);
}
std::string Store::get(std::string_view name, const GetOptions& options) const {
    std::string bytes;
    const auto check = [&](std::uint64_t size) {
        if (size <= options.max_in_memory) return;
        raise({Errc::payload_too_large, "get object " + detail::quoted(name) + ": it has more than the " +
                                            std::to_string(options.max_in_memory) +
                                            " bytes of GetOptions::max_in_memory; read it in pieces"});
    };
    const auto found = [&](const Info& info) {
        check(info.size);
        // Avoids copies while the text grows; but the description may say any size.
        bytes.reserve(std::min<std::uint64_t>(info.size, most_reserved));
    };
    const auto append = [&](Bytes more) {
        check(bytes.size() + more.size());
        bytes.append(as_text(more));
    };
    std::ignore = counted(*bucket_, StoreOperation::get, [&] { return bucket_->get(name, append, options, found); });
    return bytes;
}
Info Store::get_file(std::string_view name, const std::string& path, const GetOptions& options) const {
    errno = 0;
    NewFile file{path};
    auto info = get(name, [&](Bytes bytes) { file.write(bytes); }, options);
    file.keep();
    return info;
}

Expected<Info> Store::try_get(std::string_view name, const Writer& writer, const GetOptions& options) const {
    return attempt([&] { return get(name, writer, options); });
}
Expected<Info> Store::try_get(std::string_view name, std::ostream& out, const GetOptions& options) const {
    return attempt([&] { return get(name, out, options); });
}
Expected<std::string> Store::try_get(std::string_view name, const GetOptions& options) const {
    return attempt([&] { return get(name, options); });
}
Expected<Info> Store::try_get_file(std::string_view name, const std::string& path, const GetOptions& options) const {
    return attempt([&] { return get_file(name, path, options); });
}

std::optional<Info> Store::info(std::string_view name) const {
    return counted(*bucket_, StoreOperation::info, [&] { return bucket_->info(name); });
}
Expected<std::optional<Info>> Store::try_info(std::string_view name) const {
    return attempt([&] { return info(name); });
}

Info Store::update(std::string_view name, const Meta& meta) const {
    return counted(*bucket_, StoreOperation::update, [&] { return bucket_->update(name, meta); });
}
Expected<Info> Store::try_update(std::string_view name, const Meta& meta) const {
    return attempt([&] { return update(name, meta); });
}

Info Store::link(std::string_view name, const Info& target) const {
    if (target.name.empty() || target.deleted || target.link) {
        raise({Errc::bad_setup, "link " + detail::quoted(name) + ": it can point to an object, not to " +
                                    (target.link ? "another link" : "one that was deleted")});
    }
    return counted(*bucket_, StoreOperation::link,
                   [&] { return bucket_->link(name, {.bucket = target.bucket, .name = target.name}); });
}
Expected<Info> Store::try_link(std::string_view name, const Info& target) const {
    return attempt([&] { return link(name, target); });
}

Info Store::link_bucket(std::string_view name, std::string_view bucket) const {
    value_or_raise(detail::check_bucket(detail::StoreKind::object, bucket));
    return counted(*bucket_, StoreOperation::link,
                   [&] { return bucket_->link(name, {.bucket = std::string{bucket}}); });
}
Expected<Info> Store::try_link_bucket(std::string_view name, std::string_view bucket) const {
    return attempt([&] { return link_bucket(name, bucket); });
}

void Store::erase(std::string_view name) const {
    counted(*bucket_, StoreOperation::erase, [&] { return bucket_->erase(name); });
}
Expected<void> Store::try_erase(std::string_view name) const {
    return attempt([&] { erase(name); });
}

Infos Store::list(const ListOptions& options) const {
    return counted(*bucket_, StoreOperation::list, [&] { return bucket_->list(options); });
}
Expected<Infos> Store::try_list(const ListOptions& options) const {
    return attempt([&] { return list(options); });
}

Watcher Store::watch(const WatchOptions& options) const {
    return counted(*bucket_, StoreOperation::watch, [&] {
        return Watcher{value_or_raise(detail::WatchQueue::start(bucket_->store().link(), bucket_->watch(options)))};
    });
}
Expected<Watcher> Store::try_watch(const WatchOptions& options) const {
    return attempt([&] { return watch(options); });
}

void Store::seal() const {
    counted(*bucket_, StoreOperation::seal, [&] { return bucket_->seal(); });
}
Expected<void> Store::try_seal() const {
    return attempt([&] { seal(); });
}

Status Store::status() const {
    return counted(*bucket_, StoreOperation::status, [&] { return bucket_->status(); });
}
Expected<Status> Store::try_status() const {
    return attempt([&] { return status(); });
}

Store Store::open(detail::Link& link, std::string bucket, const Options& options) {
    auto opened = std::make_shared<detail::ObjectBucket>(link, std::move(bucket), options);
    opened->store().ready_if_running();
    static constexpr detail::OutgoingShape shape{.kind = detail::OutgoingShape::Kind::object_store};
    detail::declare_outgoing(link, opened->store().name(), shape, std::nullopt);
    return Store{std::move(opened)};
}

void Store::remove() const { value_or_raise(try_remove()); }
Expected<void> Store::try_remove() const { return bucket_->store().remove(); }

std::vector<std::string> bucket_names(Broker& broker, const js::ContextOptions& context) {
    return value_or_raise(detail::store_names(broker.link(), detail::StoreKind::object, context));
}

}  // namespace obj
}  // namespace freshet
