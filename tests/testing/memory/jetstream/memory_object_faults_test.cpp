// SPDX-License-Identifier: Apache-2.0
// Object stores whose messages are lost on their way: nobody sees half an object, and nothing visible is removed.
#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <freshet/freshet.hpp>
#include <freshet/jetstream.hpp>
#include <freshet/testing.hpp>

using namespace freshet;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;

namespace {

constexpr int all = 1'000'000;

/// Loses what the stream answers.
struct LossFixture {
    testing::MemoryServer server;
    Broker broker;
    testing::TestBroker tested{broker, server};
    obj::Store files = broker.object_store("files");
    int spare_acks = 0;
    int lose_acks = 0;
    bool lose_reads = false;  ///< from the leader

    LossFixture() {
        server.intercept([this](const testing::Passage& passage) {
            if (passage.subject == "later") return testing::Fate{.delay = 50ms};
            const bool arrives = !passage.subject.starts_with("_INBOX") || answer_arrives(as_text(passage.payload));
            return testing::Fate{.copies = arrives ? 1U : 0U};
        });
    }

    bool answer_arrives(std::string_view answer) {
        if (answer.contains("\"message\":")) return !lose_reads;
        if (!answer.starts_with("{\"stream\":") && !answer.contains("wrong last sequence")) return true;
        if (lose_acks == 0) return true;
        if (spare_acks > 0) return --spare_acks, true;
        return --lose_acks, false;
    }
    /// Of descriptions, after those of so many chunks.
    void lose(int acks, int chunks) {
        spare_acks = chunks;
        lose_acks = acks;
    }

    /// Objects of which there are chunks.
    std::size_t chunks() {
        return broker.jetstream().stream("OBJ_files").info({.subjects = "$O.files.C.>"}).state.subjects.size();
    }
};

}  // namespace

TEST_CASE_METHOD(LossFixture, "a put whose acknowledgement is lost has succeeded") {
    files.put("a", "before");
    lose(1, 2);
    const auto put = files.try_put("a", "new bytes", {.chunk_size = 5});
    REQUIRE(put);
    CHECK(lose_acks == 0);
    CHECK(files.info("a")->id == put->id);
    CHECK(files.get("a") == "new bytes");
    CHECK(chunks() == 1);
}

TEST_CASE_METHOD(LossFixture, "a description that is lost on its way is sent again") {
    files.put("a", "before");
    tested.fail_next_publish("$O.files.M.*");
    CHECK(files.try_put("a", "new"));
    CHECK(files.get("a") == "new");
    CHECK(chunks() == 1);
}

TEST_CASE_METHOD(LossFixture, "a put whose end is not known leaves an object whole, the new one or the one before") {
    files.put("a", "before");
    const auto doubted = [&] {
        const auto put = files.try_put("a", "new");
        REQUIRE_FALSE(put);
        CHECK(put.error() == Errc::timeout);
        CHECK_THAT(put.error().what(), ContainsSubstring("it is not known whether it was stored"));
    };
    SECTION("it was stored") {
        lose(all, 1);
        doubted();
        lose_acks = 0;
        CHECK(files.get("a") == "new");
    }
    SECTION("it was stored, and cannot be read") {
        lose(1, 1);
        lose_reads = true;
        doubted();
        lose_reads = false;
        CHECK(files.get("a") == "new");
    }
    SECTION("it was not stored") {
        for (int i = 0; i < 1'000; ++i) tested.fail_next_publish("$O.files.M.*", Errc::timeout);
        doubted();
        CHECK(files.get("a") == "before");
    }
    SECTION("it was refused when it was sent again") {
        Broker other;
        other.subscriber("later").handle([&](std::string_view) { other.object_store("files").seal(); });
        testing::TestBroker other_test{other, server};
        for (int i = 0; i < 2; ++i) tested.fail_next_publish("$O.files.M.*", Errc::timeout);
        tested.client().publish("later", "");
        doubted();
        CHECK(files.get("a") == "before");
    }
    CHECK(chunks() == 2);
}

TEST_CASE_METHOD(LossFixture,
                 "a put in doubt that meets the object of another is an error, and removes its chunks only") {
    Broker other;
    bool met = false;
    const auto put_another = [&](std::string_view) {
        if (!std::exchange(met, true)) other.object_store("files").put("a", "of another");
    };
    SECTION("it was stored, and replaced") {
        other.subscriber("$O.files.M.*").handle(put_another);
        lose(1, 1);
    }
    SECTION("it was not stored") {
        other.subscriber("later").handle(put_another);
        for (int i = 0; i < 2; ++i) tested.fail_next_publish("$O.files.M.*");
    }
    testing::TestBroker other_test{other, server};
    tested.client().publish("later", "");
    const auto put = files.try_put("a", "new");
    CHECK(met);
    REQUIRE_FALSE(put);
    CHECK_THAT(put.error().what(), !ContainsSubstring("not known"));
    CHECK(files.get("a") == "of another");
    CHECK(chunks() == 1);
}

TEST_CASE_METHOD(LossFixture, "an erasure whose acknowledgement is lost has succeeded") {
    files.put("a", "bytes");
    lose(1, 0);
    CHECK(files.try_erase("a"));
    CHECK_FALSE(files.info("a"));
    CHECK(chunks() == 0);
}

TEST_CASE_METHOD(LossFixture, "an erasure whose end is not known is ended by the next one, or by a put") {
    files.put("a", "bytes");
    lose(all, 0);
    const auto erased = files.try_erase("a");
    REQUIRE_FALSE(erased);
    CHECK(erased.error() == Errc::timeout);
    lose_acks = 0;
    CHECK_FALSE(files.info("a"));
    CHECK(chunks() == 1);
    SECTION("erased") {
        files.erase("a");
        CHECK(chunks() == 0);
    }
    SECTION("put") {
        files.put("a", "again");
        CHECK(chunks() == 1);
        CHECK(files.get("a") == "again");
    }
}

TEST_CASE_METHOD(LossFixture, "an update, a rename and a link whose acknowledgement is lost have succeeded") {
    const auto target = files.put("a", "bytes");
    lose(1, 0);
    SECTION("update") {
        CHECK(files.try_update("a", {.description = "new"}));
        CHECK(files.info("a")->description == "new");
    }
    SECTION("rename") {
        CHECK(files.try_update("a", {.name = "b"}));
        CHECK(files.list().size() == 1);
        CHECK(files.get("b") == "bytes");
    }
    SECTION("link") {
        CHECK(files.try_link("l", target));
        CHECK(files.get("l") == "bytes");
    }
    CHECK(lose_acks == 0);
    CHECK(chunks() == 1);
}

TEST_CASE_METHOD(LossFixture, "a rename whose end is not known is ended by the next one") {
    files.put("a", "bytes");
    lose(all, 0);
    const auto renamed = files.try_update("a", {.name = "b"});
    REQUIRE_FALSE(renamed);
    CHECK(renamed.error() == Errc::timeout);
    lose_acks = 0;
    CHECK(files.update("a", {.name = "b"}).name == "b");
    CHECK(files.list().size() == 1);
    CHECK(files.get("b") == "bytes");
}

TEST_CASE_METHOD(LossFixture, "chunks that are lost or refused on the way are stored once, in their order") {
    const std::string bytes = "abcdefghijklmnopqrstuvwxyz";
    SECTION("lost") { tested.fail_next_publish("$O.files.C.*", Errc::timeout); }
    SECTION("refused") {
        for (int i = 0; i < 3; ++i) tested.fail_next_publish("$O.files.C.*", Errc::no_responders);
    }
    SECTION("answers lost") { lose(2, 1); }
    REQUIRE(files.try_put("a", bytes, {.chunk_size = 3}));
    CHECK(files.get("a") == bytes);
    const auto state = broker.jetstream().stream("OBJ_files").info().state;
    CHECK(state.messages == 10);  // nine chunks and a description
}
