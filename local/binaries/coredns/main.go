// SPDX-License-Identifier: Apache-2.0

// Command coredns is CoreDNS with the plugins that a small cluster needs. The full plugin list brings the libraries
// of every cloud and trebles the time to compile.
package main

import (
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"

	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/forward"
	_ "github.com/coredns/coredns/plugin/health"
	_ "github.com/coredns/coredns/plugin/hosts"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	_ "github.com/coredns/coredns/plugin/log"
	_ "github.com/coredns/coredns/plugin/loop"
	_ "github.com/coredns/coredns/plugin/metrics"
	_ "github.com/coredns/coredns/plugin/ready"
	_ "github.com/coredns/coredns/plugin/reload"
	_ "github.com/coredns/coredns/plugin/template"
)

func init() {
	// A plugin that is compiled in but not listed here is refused in a Corefile. The order is the order in which
	// plugins see a query, and follows upstream's plugin.cfg.
	dnsserver.Directives = []string{
		"reload",
		"bind",
		"health",
		"ready",
		"prometheus",
		"errors",
		"log",
		"cache",
		"template",
		"hosts",
		"kubernetes",
		"loop",
		"forward",
	}
}

func main() { coremain.Run() }
