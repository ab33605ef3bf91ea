// SPDX-License-Identifier: Apache-2.0

// Command pulumi-language-nodejs lets the Pulumi engine run programs, policy packs and component providers written
// for Node, with the `node` that is first in PATH.
//
// It stands in for the host of the same name that Pulumi ships, which cannot be built from the Go module proxy. It
// does what running a project needs (LanguageRuntime: Handshake, Run, RunPlugin, About, GetPluginInfo) and leaves out
// what only project templates and code generators use; those calls answer "unimplemented". Where the official Pulumi
// is installed, the toolchain uses that instead.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
)

// maxMessageBytes is the engine's own limit for one message (state of large stacks travels in one).
const maxMessageBytes = 400 << 20

// healthInterval is how often the engine is asked whether it still lives; an engine that was killed leaves no host behind.
const healthInterval = 5 * time.Second

func main() {
	if err := serve(os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "pulumi-language-nodejs: %v\n", err)
		os.Exit(1)
	}
}

// serve answers the engine until it is told to stop or the engine is gone. By the plugin protocol the first line on
// standard output is the port, and the last argument, if any, is the address of the engine.
func serve(args []string) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen on loopback: %w", err)
	}
	h := &host{}
	if len(args) > 0 {
		h.engine = args[len(args)-1]
	}
	server := grpc.NewServer(grpc.MaxRecvMsgSize(maxMessageBytes), grpc.MaxSendMsgSize(maxMessageBytes))
	pulumirpc.RegisterLanguageRuntimeServer(server, h)

	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer cancel()
	if h.engine != "" {
		if err := rpcutil.Healthcheck(ctx, h.engine, healthInterval, cancel); err != nil {
			return fmt.Errorf("watch the engine at %s: %w", h.engine, err)
		}
	}
	go func() {
		<-ctx.Done()
		server.Stop()
	}()
	if _, err := fmt.Printf("%d\n", listener.Addr().(*net.TCPAddr).Port); err != nil {
		return fmt.Errorf("tell the engine the port: %w", err)
	}
	if err := server.Serve(listener); err != nil && !errors.Is(err, grpc.ErrServerStopped) && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}
