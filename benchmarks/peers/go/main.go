// SPDX-License-Identifier: Apache-2.0

// The loops with nats.go, as its documentation shows them.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

type order struct {
	ID       string `json:"id"`
	Customer string `json:"customer"`
	Region   string `json:"region"`
	Lines    []struct {
		SKU      string  `json:"sku"`
		Quantity int     `json:"quantity"`
		Price    float64 `json:"price"`
	} `json:"lines"`
	Total float64 `json:"total"`
	Paid  bool    `json:"paid"`
}

type words map[string]string

func (w words) text(name, fallback string) string {
	if value, given := w[name]; given {
		return value
	}
	return fallback
}

func (w words) number(name string, fallback int) int {
	if value, err := strconv.Atoi(w[name]); err == nil {
		return value
	}
	return fallback
}

func (w words) count() int   { return w.number("count", 100_000) }
func (w words) body() []byte { return bytes.Repeat([]byte("x"), w.number("size", 128)) }

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func connect(w words) *nats.Conn {
	connection, err := nats.Connect(w.text("url", nats.DefaultURL))
	must(err)
	return connection
}

func cpu() time.Duration {
	var usage syscall.Rusage
	must(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func status(name string) float64 {
	text, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(text)) {
		if rest, found := strings.CutPrefix(line, name); found {
			number, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return number
		}
	}
	return 0
}

type measurement struct {
	begin time.Time
	cpu   time.Duration
}

func measure() measurement { return measurement{time.Now(), cpu()} }

func (m measurement) report(messages int, latencies []time.Duration) {
	seconds, used := time.Since(m.begin).Seconds(), (cpu() - m.cpu).Seconds()
	row := map[string]any{"messages": messages, "seconds": seconds, "cpu_seconds": used,
		"rss_mb": status("VmRSS:") / 1024, "threads": status("Threads:")}
	if len(latencies) > 0 {
		slices.Sort(latencies)
		at := func(share float64) float64 {
			return float64(latencies[int(float64(len(latencies)-1)*share)].Nanoseconds()) / 1e3
		}
		row["p50_us"], row["p99_us"], row["p999_us"] = at(0.5), at(0.99), at(0.999)
	}
	must(json.NewEncoder(os.Stdout).Encode(row))
}

func ready() { fmt.Println("ready") }

func deliver(w words) {
	connection := connect(w)
	var begin measurement
	handled, seen, wanted := 0, 0, w.count()
	finished := make(chan struct{})
	decode := w.text("lane", "bytes") != "bytes"
	subscription, err := connection.Subscribe("bench.x", func(message *nats.Msg) {
		if handled == 0 {
			begin = measure()
		}
		if decode {
			var value order
			must(json.Unmarshal(message.Data, &value))
			seen += len(value.Lines)
		} else {
			seen += len(message.Data)
		}
		if handled++; handled == wanted {
			close(finished)
		}
	})
	must(err)
	must(subscription.SetPendingLimits(-1, -1))
	must(connection.Flush())
	ready()
	<-finished
	begin.report(wanted, nil)
}

func rpcService(w words) {
	connection := connect(w)
	_, err := connection.Subscribe("bench.rpc", func(message *nats.Msg) { must(message.Respond(message.Data)) })
	must(err)
	must(connection.Flush())
	ready()
	select {}
}

func rpc(w words) {
	connection, body := connect(w), w.body()
	ask := func() {
		_, err := connection.Request("bench.rpc", body, 30*time.Second)
		must(err)
	}
	ask()
	outstanding := w.number("outstanding", 1)
	each := w.count() / outstanding
	latencies := make([]time.Duration, each*outstanding)
	ready()
	begin := measure()
	var group sync.WaitGroup
	for i := range outstanding {
		group.Go(func() {
			for j := range each {
				sent := time.Now()
				ask()
				latencies[i*each+j] = time.Since(sent)
			}
		})
	}
	group.Wait()
	begin.report(len(latencies), latencies)
}

func renewStream(connection *nats.Conn, pending int) (jetstream.JetStream, jetstream.Stream) {
	js, err := jetstream.New(connection, jetstream.WithPublishAsyncMaxPending(pending))
	must(err)
	_ = js.DeleteStream(context.Background(), "BENCH")
	stream, err := js.CreateStream(context.Background(), jetstream.StreamConfig{Name: "BENCH",
		Subjects: []string{"bench.js.>"}, Storage: jetstream.MemoryStorage})
	must(err)
	return js, stream
}

func publishAll(js jetstream.JetStream, w words) {
	body := w.body()
	for range w.count() {
		_, err := js.PublishAsync("bench.js.x", body, jetstream.WithStallWait(time.Minute))
		must(err)
	}
	<-js.PublishAsyncComplete()
}

func jsPublish(w words) {
	connection := connect(w)
	js, _ := renewStream(connection, w.number("outstanding", 4096))
	ready()
	begin := measure()
	publishAll(js, w)
	begin.report(w.count(), nil)
}

func jsPull(w words) {
	connection := connect(w)
	js, stream := renewStream(connection, 4096)
	publishAll(js, w)
	handled, wanted := 0, w.count()
	finished := make(chan struct{})
	ready()
	begin := measure()
	consumer, err := stream.CreateConsumer(context.Background(), jetstream.ConsumerConfig{Durable: "bench",
		AckPolicy: jetstream.AckExplicitPolicy, MaxAckPending: -1})
	must(err)
	consuming, err := consumer.Consume(func(message jetstream.Msg) {
		must(message.Ack())
		if handled++; handled == wanted {
			close(finished)
		}
	}, jetstream.PullMaxMessages(1000))
	must(err)
	<-finished
	must(connection.Flush())
	begin.report(wanted, nil)
	consuming.Stop()
}

func main() {
	programs := map[string]func(words){"deliver": deliver, "rpc_service": rpcService, "rpc": rpc,
		"js_publish": jsPublish, "js_pull": jsPull}
	w := words{}
	for _, word := range os.Args[2:] {
		name, value, _ := strings.Cut(word, "=")
		w[name] = value
	}
	program, known := programs[os.Args[1]]
	if !known {
		log.Fatalf("no such program: %s", os.Args[1])
	}
	program(w)
}
