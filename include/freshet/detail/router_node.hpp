// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <freshet/subscriber.hpp>

namespace freshet::detail {

/// A router without types: what was declared on it, to be made anew for each broker. Not thread-safe.
class RouterNode final : public Registry {
public:
    explicit RouterNode(std::string prefix) : prefix_{std::move(prefix)} {}

    std::uint64_t begin(const std::string& subject) override;
    /// Keeps a subscriber; gives null, since it runs only in brokers.
    std::shared_ptr<SubscriberCore> add(SubscriberSpec spec) override;
    /// Throws Error(Errc::bad_setup) if it is in it already, or the other way round.
    void include(std::shared_ptr<RouterNode> inner);
    Layer& layer(const char* what);

    /// The subscribers of this router and of those in it. From now on it cannot be changed.
    std::vector<SubscriberSpec> expand();

private:
    struct Path {
        std::string prefix = {};
        std::vector<std::shared_ptr<const Layer>> layers = {};
        std::optional<AckPolicy> ack_policy = {};
    };
    void expand(Path outer, std::vector<SubscriberSpec>& into);
    bool reaches(const RouterNode& other) const noexcept;
    void check_open(const std::string& what) const;

    std::string prefix_;
    std::shared_ptr<Layer> layer_ = std::make_shared<Layer>();
    std::vector<SubscriberSpec> subscribers_ = {};
    std::vector<std::optional<std::string>> drafts_ = {};  // subjects that were begun, by number; nothing: added
    std::vector<std::shared_ptr<RouterNode>> included_ = {};
    bool sealed_ = false;
};

}  // namespace freshet::detail
