// SPDX-License-Identifier: Apache-2.0
#include <freshet/testing/test_app.hpp>

#include <algorithm>
#include <utility>
#include <vector>

#include <freshet/testing/server.hpp>

#include "broker/app_core.hpp"

namespace freshet::testing {

class TestApp::Impl {
public:
    Impl(App& app, std::unique_ptr<Server> server, const TestOptions& options) : Impl{app, server.get(), options} {
        own_server_ = std::move(server);
    }
    Impl(App& app, Server* server, const TestOptions& options) : core_{app.core()}, server_{server}, options_{options} {
        try {
            core_.start([this](Broker& broker) { start(broker); });
            for (const auto& test : tests_) test->run();
        } catch (...) {
            core_.shut_down();
            throw;
        }
    }
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;
    ~Impl() { stop(); }

    int stop() {
        if (!std::exchange(stopped_, true)) core_.shut_down();
        return core_.exit_code();
    }

    TestBroker& of(const Broker* broker) const {
        const auto found = std::ranges::find_if(tests_, [&](const auto& test) {
            return broker == nullptr || &test->broker() == broker;
        });
        if (found == tests_.end())
            raise({Errc::bad_setup, "TestApp: the App does not have this broker; name one that it was made with"});
        return **found;
    }
    std::optional<int> asked_code() const { return core_.asked_code(); }

private:
    void start(Broker& broker) {
        tests_.push_back(server_ == nullptr ? std::make_unique<TestBroker>(broker, memory_, options_)
                                            : std::make_unique<TestBroker>(broker, *server_, options_));
    }

    detail::AppCore& core_;
    std::unique_ptr<Server> own_server_ = {};
    Server* const server_;
    MemoryServer memory_{};
    const TestOptions options_;
    std::vector<std::unique_ptr<TestBroker>> tests_ = {};
    bool stopped_ = false;
};

TestApp::TestApp(App& app, TestOptions options)
    : impl_{std::make_unique<Impl>(app, static_cast<Server*>(nullptr), options)} {}
TestApp::TestApp(App& app, Server& server, TestOptions options)
    : impl_{std::make_unique<Impl>(app, &server, options)} {}
TestApp::TestApp(App& app, WithServer, TestOptions options)
    : impl_{std::make_unique<Impl>(app, std::make_unique<Server>(ServerOptions{.jetstream = true}), options)} {}
TestApp::~TestApp() = default;

TestBroker* TestApp::operator->() const { return &impl_->of(nullptr); }
TestBroker& TestApp::operator[](const Broker& broker) const { return impl_->of(&broker); }
std::optional<int> TestApp::exit_code() const { return impl_->asked_code(); }
int TestApp::stop() { return impl_->stop(); }

}  // namespace freshet::testing
