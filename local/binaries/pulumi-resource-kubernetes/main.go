// SPDX-License-Identifier: Apache-2.0

// Command pulumi-resource-kubernetes is the upstream Pulumi provider for Kubernetes. Upstream's own main embeds a
// schema of 10 MB that only code generators read; programs in TypeScript bring their types with @pulumi/kubernetes.
package main

import "github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/provider"

// version is set by the linker; it is what `pulumi plugin ls` and the engine are told.
var version = "0.0.0-dev"

func main() {
	schema, terraformMapping := []byte(`{"name":"kubernetes"}`), []byte(`{}`)
	provider.Serve("kubernetes", version, schema, terraformMapping)
}
