// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <freshet/subscriber.hpp>

namespace freshet::detail {

/// A router without types: it keeps the declarations, to be made anew for each broker. Not thread-safe.
class RouterNode final : public Registry {
public:
    explicit RouterNode(std::string prefix) : prefix_{std::move(prefix)} {}

    std::uint64_t begin(const std::string& subject) override;
    /// Keeps a subscriber and returns null, since the subscriber runs only in brokers.
    std::shared_ptr<SubscriberCore> add(SubscriberSpec spec) override;
    /// Puts `inner` into this router. Throws Error(Errc::bad_setup) if it is in this one already, or has this one in
    /// it.
    void include(std::shared_ptr<RouterNode> inner);
    Layer& layer(const char* what);

    /// Returns the subscribers of this router and of the routers in it. From then on the router cannot be changed.
    std::vector<SubscriberSpec> expand();
    /// Returns the subscribers that expand() would return now, to look at them. The router can still be changed.
    std::vector<SubscriberSpec> preview() const;

private:
    struct Path {
        std::string prefix = {};
        std::vector<std::shared_ptr<const Layer>> layers = {};
        std::optional<AckPolicy> ack_policy = {};
    };
    void seal() noexcept;
    void expand(Path outer, std::vector<SubscriberSpec>& into) const;
    bool reaches(const RouterNode& other) const noexcept;
    void check_open(const std::string& what) const;

    std::string prefix_;
    std::shared_ptr<Layer> layer_ = std::make_shared<Layer>();
    std::vector<SubscriberSpec> subscribers_ = {};
    std::vector<std::optional<std::string>> drafts_ = {};  // subjects that were begun, by number; empty: completed
    std::vector<std::shared_ptr<RouterNode>> included_ = {};
    bool sealed_ = false;
};

}  // namespace freshet::detail
