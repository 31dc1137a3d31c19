// Go's hashicorp/yamux over a bare socket: go-yamux send|receive TOTAL SIZE STREAMS [PORT].
// The listening side opens the streams and sends. Windows of 16 MiB.
// It prints the messages of the other peers as lines of JSON, and exits when its input ends.
package main

import (
	"bufio"
	"encoding/json"
	"io"
	"log"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/hashicorp/yamux"
)

var (
	saying   sync.Mutex
	isWarm   = make(chan struct{})
	warmUp   = number(os.Getenv("BENCH_WARM_UP"))
	total    = number(os.Args[2])
	size     = number(os.Args[3])
	streams  = number(os.Args[4])
	finished sync.WaitGroup
)

func main() {
	go func() {
		lines := bufio.NewScanner(os.Stdin)
		for lines.Scan() {
			close(isWarm)
		}
		os.Exit(0)
	}()
	finished.Add(int(streams))
	if os.Args[1] == "send" {
		send()
	} else {
		receive(os.Args[5])
	}
	select {}
}

func send() {
	listener := must(net.Listen("tcp4", "127.0.0.1:0"))
	say(map[string]any{"kind": "port", "port": listener.Addr().(*net.TCPAddr).Port})
	session := must(yamux.Server(must(listener.Accept()), config()))
	cpu := make(chan float64, 1)
	cpu <- seconds()
	if warmUp > 0 {
		go func() {
			<-isWarm
			<-cpu
			cpu <- seconds()
		}()
	}
	for index := int64(0); index < streams; index++ {
		stream := must(session.OpenStream())
		go func() {
			chunk := make([]byte, size)
			for left := total / size; left > 0; left-- {
				must(stream.Write(chunk))
			}
			stream.Close()
			finished.Done()
		}()
	}
	finished.Wait()
	<-session.CloseChan()
	tell(map[string]any{"cpu": seconds() - <-cpu})
}

func receive(port string) {
	session := must(yamux.Client(must(net.Dial("tcp4", "127.0.0.1:"+port)), config()))
	var counting sync.Mutex
	var bytes, from int64
	var started time.Time
	var cpu float64
	count := func(length int64) {
		counting.Lock()
		defer counting.Unlock()
		if started.IsZero() && bytes >= warmUp {
			from, started, cpu = bytes, time.Now(), seconds()
			if warmUp > 0 {
				say(map[string]any{"kind": "warm"})
			}
		}
		bytes += length
	}
	for index := int64(0); index < streams; index++ {
		stream := must(session.AcceptStream())
		go func() {
			buffer := make([]byte, 262_144)
			for {
				length, err := stream.Read(buffer)
				count(int64(length))
				if err == io.EOF {
					break
				}
				must(length, err)
			}
			finished.Done()
		}()
	}
	finished.Wait()
	elapsed := time.Since(started).Seconds()
	session.Close()
	tell(map[string]any{"cpu": seconds() - cpu, "bytes": bytes, "counted": bytes - from, "seconds": elapsed})
}

func config() *yamux.Config {
	config := yamux.DefaultConfig()
	config.EnableKeepAlive = false
	config.MaxStreamWindowSize = 16 * 1024 * 1024
	config.LogOutput = io.Discard
	return config
}

func tell(result map[string]any) {
	result["kind"] = "result"
	result["rss"] = peakMemory()
	say(result)
}

func say(message map[string]any) {
	saying.Lock()
	defer saying.Unlock()
	must(os.Stdout.Write(append(must(json.Marshal(message)), '\n')))
}

// Processor time of the process so far, in seconds.
func seconds() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		log.Fatal(err)
	}
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e9
}

// In bytes.
func peakMemory() int64 {
	for _, line := range strings.Split(string(must(os.ReadFile("/proc/self/status"))), "\n") {
		if strings.HasPrefix(line, "VmHWM:") {
			return number(strings.Fields(line)[1]) * 1024
		}
	}
	return 0
}

func number(text string) int64 {
	if text == "" {
		return 0
	}
	return must(strconv.ParseInt(text, 10, 64))
}

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}
