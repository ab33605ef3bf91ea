// SPDX-License-Identifier: Apache-2.0

// Command pause is process 1 of a pod's sandbox: it keeps the pod's namespaces open, and, in pods that share their
// process namespace, collects the exit status of orphans so that they do not stay as zombies.
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGCHLD)
	// Before this line a signal ends the process with the status of a kill: Go catches it and has nobody to give it to.
	println("pause: waiting for SIGTERM")
	for s := range signals {
		if s != syscall.SIGCHLD {
			return
		}
		reap()
	}
}

// reap collects every child that has ended. Signals are merged while one is pending, so one SIGCHLD may stand for many.
func reap() {
	for {
		pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
		if pid <= 0 || err != nil {
			return
		}
	}
}
