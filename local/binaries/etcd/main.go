// SPDX-License-Identifier: Apache-2.0

// Command etcd is the upstream etcd server, built as it is: etcd publishes its server as a library whose entry point
// is etcdmain.Main, and the go.mod beside this file pins the version.
package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() { etcdmain.Main(os.Args) }
