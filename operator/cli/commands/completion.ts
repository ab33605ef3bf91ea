// `completion bash|zsh|fish`: the script for a shell; and `__complete`, which the script, and kubectl, ask.
import type { Command } from 'commander';
import type { Assistants } from '../assistants.ts';
import { complete, completionText, globalValues, type Lookups } from '../completion.ts';
import type { Io } from '../io.ts';
import type { Shell } from '../shells.ts';
import type { SessionFlags } from '../program/context.ts';
import { rawGet } from '../raw.ts';

/** Longer than this nobody waits at a prompt. */
const TIMEOUT_MS = 2_000;

/** Prints the script. */
export function printCompletion(shell: Shell, io: Io): number {
  io.stdout.write(SCRIPTS[shell]);
  return 0;
}

/** Answers the shell. */
export async function answerCompletion(
  program: Command,
  line: readonly string[],
  io: Io,
  openWith: (flags: SessionFlags) => Promise<Assistants>,
): Promise<number> {
  const open = (): Promise<Assistants> => openWith(globalValues(program, line));
  io.stdout.write(completionText(await complete(program, line, lookupsOf(open))));
  return 0;
}

function lookupsOf(open: () => Promise<Assistants>): Lookups {
  return {
    names: async () => (await within((await open()).list(false))).map(({ metadata }) => metadata.name),
    namespaces: async () => {
      const { body } = await rawGet((await open()).session, '/api/v1/namespaces', { timeoutMs: TIMEOUT_MS });
      const { items = [] } = JSON.parse(body) as {
        readonly items?: readonly { readonly metadata: { readonly name: string } }[];
      };
      return items.map(({ metadata }) => metadata.name);
    },
    contexts: async () => (await open()).session.config.getContexts().map(({ name }) => name),
    revisions: async (name) => (await within((await open()).records(name))).map(({ hash, release }) => [hash, release]),
  };
}

async function within<T>(answer: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`no answer within ${TIMEOUT_MS} ms`)), TIMEOUT_MS);
  try {
    return await Promise.race([answer, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** The last line of an answer is the directive; what is before it are candidates, with a description behind a tab. */
const SCRIPTS: Readonly<Record<Shell, string>> = {
  bash: `# bash completion of kubectl-assistant: source <(kubectl-assistant completion bash)
_kubectl_assistant() {
  local answer directive current
  # The words up to the cursor as the person sees them: bash splits at = and :.
  current="\${COMP_LINE:0:COMP_POINT}"
  local -a line
  read -ra line <<< "$current"
  [[ "$current" == *" " ]] && line+=("")
  answer="$(kubectl-assistant __complete -- "\${line[@]:1}" 2>/dev/null)" || return
  directive="\${answer##*:}"
  answer="\${answer%:*}"
  COMPREPLY=()
  if [[ "$directive" == 0 ]]; then
    compopt -o default
    return
  fi
  local word typed="\${line[\${#line[@]}-1]}"
  # bash replaces only what is behind the last equals sign or colon, or from the last @ on.
  local breaks="\${COMP_WORDBREAKS//[^=:]/}" replaced="$typed"
  [[ -n "$breaks" ]] && replaced="\${typed##*[$breaks]}"
  [[ "$COMP_WORDBREAKS" == *@* && "$replaced" == *@* ]] && replaced="@\${replaced##*@}"
  local stays="\${typed%"$replaced"}"
  while IFS= read -r word; do
    word="\${word%%$'\\t'*}"
    [[ -z "$word" ]] && continue
    COMPREPLY+=("\${word#"$stays"}")
  done <<< "$answer"
}
complete -F _kubectl_assistant kubectl-assistant
`,
  zsh: `#compdef kubectl-assistant
# zsh completion of kubectl-assistant: source <(kubectl-assistant completion zsh)
_kubectl_assistant() {
  local answer directive line
  answer="$(kubectl-assistant __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)" || return
  directive="\${answer##*:}"
  answer="\${answer%:*}"
  if [[ "$directive" == 0 ]]; then
    _files
    return
  fi
  local -a candidates
  for line in "\${(@f)answer}"; do
    [[ -z "$line" ]] && continue
    # In _describe a colon parts the word from its description.
    candidates+=("\${\${line%%$'\\t'*}//:/\\\\:}\${\${(M)line:#*$'\\t'*}:+:\${line#*$'\\t'}}")
  done
  _describe 'kubectl-assistant' candidates
}
compdef _kubectl_assistant kubectl-assistant
`,
  fish: `# fish completion of kubectl-assistant: kubectl-assistant completion fish | source
function __kubectl_assistant
  set -l line (commandline -opc) (commandline -ct)
  set -l answer (kubectl-assistant __complete -- $line[2..-1] 2>/dev/null)
  if test "$answer[-1]" = ":0"
    __fish_complete_path (commandline -ct)
    return
  end
  printf '%s\\n' $answer[1..-2]
end
complete -c kubectl-assistant -f -a '(__kubectl_assistant)'
`,
};
