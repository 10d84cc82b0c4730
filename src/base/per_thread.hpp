// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

namespace freshet::detail {

/// An object of each thread, which is made at its first use and goes with the thread. Statics go after the objects of
/// the main thread, and may publish: from then on the thread has another object, which stays.
template <class T>
class PerThread {
public:
    static T& get() {
        if (object_ == nullptr) make();
        return *object_;
    }

private:
    struct Owner {
        Owner() = default;
        Owner(const Owner&) = delete;
        Owner& operator=(const Owner&) = delete;
        ~Owner() {
            ended_ = true;
            delete std::exchange(object_, nullptr);
        }
    };

    static void make() {
        object_ = new T{};
        if (ended_) return;
        static thread_local const Owner owner;
    }

    // Plain values: their use checks no guard, and they live until the end of the thread.
    static constinit inline thread_local T* object_ = nullptr;
    static constinit inline thread_local bool ended_ = false;
};

}  // namespace freshet::detail
