// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/version"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"
)

// bailed is the exit status of @pulumi/pulumi's runner when it has told the user what is wrong already.
const bailed = 32

// host implements the LanguageRuntime service of the engine.
type host struct {
	pulumirpc.UnimplementedLanguageRuntimeServer
	// engine is the address of the engine that started this host, which programs connect to.
	engine string
}

func (h *host) Handshake(_ context.Context, request *pulumirpc.LanguageHandshakeRequest) (*pulumirpc.LanguageHandshakeResponse, error) {
	h.engine = request.GetEngineAddress()
	return &pulumirpc.LanguageHandshakeResponse{}, nil
}

func (*host) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: version.Version}, nil
}

// GetRequiredPackages names no plugin: the toolchain puts providers where the engine looks, so none is to be fetched.
func (*host) GetRequiredPackages(context.Context, *pulumirpc.GetRequiredPackagesRequest) (*pulumirpc.GetRequiredPackagesResponse, error) {
	return &pulumirpc.GetRequiredPackagesResponse{}, nil
}

func (*host) GetProgramDependencies(context.Context, *pulumirpc.GetProgramDependenciesRequest) (*pulumirpc.GetProgramDependenciesResponse, error) {
	return &pulumirpc.GetProgramDependenciesResponse{}, nil
}

func (*host) About(ctx context.Context, _ *pulumirpc.AboutRequest) (*pulumirpc.AboutResponse, error) {
	node, err := exec.LookPath("node")
	if err != nil {
		return nil, fmt.Errorf("node is not in PATH: %w", err)
	}
	out, err := exec.CommandContext(ctx, node, "--version").Output()
	if err != nil {
		return nil, fmt.Errorf("%s --version: %w", node, err)
	}
	return &pulumirpc.AboutResponse{Executable: node, Version: strings.TrimSpace(string(out))}, nil
}

func (*host) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

// Run runs a project's program to its end.
func (h *host) Run(ctx context.Context, request *pulumirpc.RunRequest) (*pulumirpc.RunResponse, error) {
	runner, err := entryPoint(ctx, request.GetInfo().GetProgramDirectory(), "run")
	if err != nil {
		return nil, err
	}
	args, env := programOptions(request.GetInfo())
	args = append(args, runner)
	for _, flag := range []struct{ name, value string }{
		{"monitor", request.GetMonitorAddress()},
		{"engine", h.engine},
		{"organization", request.GetOrganization()},
		{"project", request.GetProject()},
		{"stack", request.GetStack()},
		{"pwd", request.GetPwd()},
		{"parallel", strconv.Itoa(int(request.GetParallel()))},
	} {
		if flag.value != "" {
			args = append(args, "--"+flag.name, flag.value)
		}
	}
	if request.GetDryRun() {
		args = append(args, "--dry-run")
	}
	args = append(args, request.GetInfo().GetEntryPoint())
	args = append(args, request.GetArgs()...)

	settings, err := configuration(request)
	if err != nil {
		return nil, err
	}
	command := exec.CommandContext(ctx, "node", args...)
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	command.Env = append(os.Environ(), append(env, settings...)...)
	err = command.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return &pulumirpc.RunResponse{}, nil
	case errors.As(err, &exit) && exit.ExitCode() == bailed:
		return &pulumirpc.RunResponse{Bail: true}, nil
	default:
		return &pulumirpc.RunResponse{Error: fmt.Sprintf("the program ended with an error: %v", err)}, nil
	}
}

// RunPlugin runs a policy pack (kind "analyzer") or a component provider, and streams what it prints: the engine reads
// the port of the plugin from there.
func (h *host) RunPlugin(request *pulumirpc.RunPluginRequest, stream grpc.ServerStreamingServer[pulumirpc.RunPluginResponse]) error {
	directory := request.GetInfo().GetProgramDirectory()
	isPolicyPack := request.GetKind() == "analyzer"
	name := "run-plugin"
	if isPolicyPack {
		name = "run-policy-pack"
	}
	runner, err := entryPoint(stream.Context(), directory, name)
	if err != nil {
		return err
	}
	args, env := programOptions(request.GetInfo())
	args = append(args, runner)
	if isPolicyPack {
		// The runner of policy packs takes the address of the engine first, and the pack last.
		args = append(append(args, request.GetArgs()...), directory)
	} else {
		args = append(append(args, directory), request.GetArgs()...)
	}
	command := exec.CommandContext(stream.Context(), "node", args...)
	command.Dir = request.GetPwd()
	if isPolicyPack {
		command.Dir = directory // the pack reads its own package.json from there
	}
	command.Env = append(request.GetEnv(), env...)
	command.Stdout, command.Stderr = output{stream: stream}, output{stream: stream, isError: true}
	err = command.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return stream.Send(&pulumirpc.RunPluginResponse{
			Output: &pulumirpc.RunPluginResponse_Exitcode{Exitcode: int32(exit.ExitCode())},
		})
	}
	return err
}

// entryPoint resolves one of @pulumi/pulumi's runners as the program itself would resolve it.
func entryPoint(ctx context.Context, directory, name string) (string, error) {
	command := exec.CommandContext(ctx, "node", "-p", `require.resolve("@pulumi/pulumi/cmd/`+name+`")`)
	command.Dir = directory
	out, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("@pulumi/pulumi is not installed for %s (run npm ci there): %w", directory, err)
	}
	return strings.TrimSpace(string(out)), nil
}

// programOptions reads what Pulumi.yaml says under runtime.options: arguments for node, and whether the runner shall
// compile TypeScript itself (it does unless told not to).
func programOptions(info *pulumirpc.ProgramInfo) (nodeArguments, env []string) {
	options := info.GetOptions().AsMap()
	if text, ok := options["nodeargs"].(string); ok {
		nodeArguments = strings.Fields(text)
	}
	if typescript, ok := options["typescript"].(bool); !ok || typescript {
		env = append(env, "PULUMI_NODEJS_TYPESCRIPT=true")
	}
	return nodeArguments, env
}

// configuration is the stack's configuration in the form that @pulumi/pulumi reads from its environment.
func configuration(request *pulumirpc.RunRequest) ([]string, error) {
	values, secretKeys := request.GetConfig(), request.GetConfigSecretKeys()
	if values == nil {
		values = map[string]string{}
	}
	if secretKeys == nil {
		secretKeys = []string{}
	}
	config, err := json.Marshal(values)
	if err != nil {
		return nil, fmt.Errorf("encode the stack's configuration: %w", err)
	}
	secrets, err := json.Marshal(secretKeys)
	if err != nil {
		return nil, fmt.Errorf("encode the names of the stack's secrets: %w", err)
	}
	return []string{"PULUMI_CONFIG=" + string(config), "PULUMI_CONFIG_SECRET_KEYS=" + string(secrets)}, nil
}

// output sends what a plugin prints to the engine.
type output struct {
	stream  grpc.ServerStreamingServer[pulumirpc.RunPluginResponse]
	isError bool
}

func (o output) Write(p []byte) (int, error) {
	message := &pulumirpc.RunPluginResponse{Output: &pulumirpc.RunPluginResponse_Stdout{Stdout: p}}
	if o.isError {
		message = &pulumirpc.RunPluginResponse{Output: &pulumirpc.RunPluginResponse_Stderr{Stderr: p}}
	}
	if err := o.stream.Send(message); err != nil {
		return 0, err
	}
	return len(p), nil
}
