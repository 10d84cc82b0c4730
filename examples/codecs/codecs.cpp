// SPDX-License-Identifier: Apache-2.0
// Handles JSON, MessagePack and CBOR bodies in one handler: the header content-type says which one it is. Also has a
// type with a codec of its own.
//
//     NATS_URL=nats://localhost:4222 ./codecs
#include <charconv>
#include <vector>

#include <fmt/core.h>
#include <freshet/freshet.hpp>

struct Sample {
    std::string sensor;
    std::vector<double> values;
};
FRESHET_JSON(Sample, sensor, values);

/// A temperature, encoded as text: `21.5C`.
struct Celsius {
    double degrees{};
};

template <>
struct freshet::Codec<Celsius> {
    static constexpr std::string_view content_type = "text/x-celsius";

    static void encode(const Celsius& value, Buffer& out) { out.append(fmt::format("{}C", value.degrees)); }

    static Expected<void> decode(Bytes in, Celsius& out) {
        const auto text = as_text(in);
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out.degrees);
        if (error != std::errc{} || std::string_view{end, text.data() + text.size()} != "C")
            return failure(Errc::bad_payload, fmt::format("\"{}\" is not a temperature such as 21.5C", text));
        return {};
    }
};

void wire(freshet::Broker& broker) {
    broker.subscriber<"samples.double">().handle([](Sample sample) -> Sample {
        for (double& value : sample.values) value *= 2;
        return sample;
    });
    broker.subscriber<"heat">().handle([](Celsius now) -> Celsius { return {.degrees = now.degrees + 1}; });
}

int main() try {
    freshet::Broker broker;
    wire(broker);
    broker.start();

    // The answer has the format of the call. A call that sets none has BrokerOptions::format.
    using freshet::Format;
    const Sample sample{.sensor = "roof", .values = {1, 2.5, 1000}};
    for (const Format format : {Format::json, Format::messagepack, Format::cbor}) {
        const auto answer = broker.request<freshet::Message>("samples.double", sample, {.format = format});
        const auto doubled = freshet::decode<Sample>(answer);
        fmt::print("{}: {} bytes, {} {}\n", freshet::content_type(format), answer.payload().size(), doubled.sensor,
                   doubled.values.back());
    }

    const auto answer = broker.request<freshet::Message>("heat", Celsius{20.5});
    fmt::print("{}: {}\n", answer.header("content-type").value_or("no content-type"), answer.text());
    return 0;
} catch (const std::exception& error) {
    fmt::print(stderr, "codecs: {}\n", error.what());
    return 1;
}
