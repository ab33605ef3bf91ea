// SPDX-License-Identifier: Apache-2.0

// Command kubernetes holds every Kubernetes program that the embedded cluster runs in one binary. One link step
// and one copy of the shared libraries replace six of each, which saves minutes of compiling and about 400 MB.
//
// The program is chosen by the name it is called by (the toolchain lays symbolic links beside it), or by the first
// argument: `kubernetes kubelet --help`.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	// The controller manager resolves the time zones of CronJobs, on machines without zone files too.
	_ "time/tzdata"

	"github.com/spf13/cobra"
	"k8s.io/component-base/cli"
	// What each upstream main registers: JSON logs, client and version metrics.
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	kubectl "k8s.io/kubectl/pkg/cmd"
	kubectlutil "k8s.io/kubectl/pkg/cmd/util"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

// programs maps the name of a program to the constructor of its command line. Constructors run only when chosen:
// each registers flags and feature gates in process-wide tables.
var programs = map[string]func() *cobra.Command{
	"kube-apiserver":          apiserver.NewAPIServerCommand,
	"kube-controller-manager": controllermanager.NewControllerManagerCommand,
	"kube-scheduler":          func() *cobra.Command { return scheduler.NewSchedulerCommand() },
	"kube-proxy":              proxy.NewProxyCommand,
	"kubelet":                 func() *cobra.Command { return kubelet.NewKubeletCommand(context.Background()) },
	"kubectl":                 func() *cobra.Command { return kubectl.NewDefaultKubectlCommand() },
}

// choose returns the program that args ask for, and the arguments as that program expects to see them.
func choose(args []string) (name string, rest []string, ok bool) {
	name = filepath.Base(args[0])
	if programs[name] != nil {
		return name, args, true
	}
	if len(args) > 1 && programs[args[1]] != nil {
		return args[1], args[1:], true
	}
	return "", nil, false
}

func main() {
	name, args, ok := choose(os.Args)
	if !ok {
		names := make([]string, 0, len(programs))
		for n := range programs {
			names = append(names, n)
		}
		slices.Sort(names)
		fmt.Fprintf(os.Stderr, "usage: kubernetes <%s> [arguments]\n", strings.Join(names, "|"))
		os.Exit(2)
	}
	os.Args = args
	command := programs[name]()
	if name == "kubectl" {
		// kubectl prints its own errors, without the usage text that the servers add.
		if err := cli.RunNoErrOutput(command); err != nil {
			kubectlutil.CheckErr(err)
		}
		return
	}
	os.Exit(cli.Run(command))
}
