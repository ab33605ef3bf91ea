// The decision code as a program of the TypeScript compiler, in memory: where its sites are, and whether a changed file still type-checks.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { findSites } from './operators.ts';
import { applySite, type Site } from './sites.ts';

export const REPOSITORY = path.resolve(import.meta.dirname, '../..');
const DECISION = path.join(REPOSITORY, 'operator/rollout');

/** Tests, and what only tests use. */
const isTestCode = (file: string): boolean => /\.test\.ts$|^test-.*\.ts$|^world\w*\.ts$|^releases\.ts$/.test(file);

/** The files of the decision, relative to operator/rollout. */
export const decisionFiles = (): string[] =>
  readdirSync(DECISION, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !isTestCode(path.basename(file)))
    .sort();

/** Where a file of the decision lies. */
export const pathOf = (file: string): string => path.join(DECISION, file);

export class DecisionCode {
  readonly files: readonly string[];
  readonly #texts = new Map<string, string>();
  readonly #changed = new Map<string, { readonly version: string; readonly text: string }>();
  readonly #service: ts.LanguageService;
  #version = 0;

  constructor(files: readonly string[] = decisionFiles()) {
    this.files = files;
    const configFile = path.join(REPOSITORY, 'tsconfig.json');
    const { config } = ts.readConfigFile(configFile, (name) => readFileSync(name, 'utf8')) as { config: unknown };
    const { options } = ts.parseJsonConfigFileContent(config, ts.sys, REPOSITORY);
    this.#service = ts.createLanguageService({
      getCompilationSettings: () => options,
      getScriptFileNames: () => files.map(pathOf),
      getScriptVersion: (name) => this.#changed.get(name)?.version ?? '0',
      getScriptSnapshot: (name) => {
        const text = this.#changed.get(name)?.text ?? ts.sys.readFile(name);
        return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
      },
      getCurrentDirectory: () => REPOSITORY,
      getDefaultLibFileName: ts.getDefaultLibFilePath,
      fileExists: ts.sys.fileExists.bind(ts.sys),
      readFile: ts.sys.readFile.bind(ts.sys),
      readDirectory: ts.sys.readDirectory.bind(ts.sys),
      directoryExists: ts.sys.directoryExists.bind(ts.sys),
      getDirectories: ts.sys.getDirectories.bind(ts.sys),
      realpath: (name) => ts.sys.realpath?.(name) ?? name,
    });
  }

  /** The text of a file as it stands on the disk. */
  text(file: string): string {
    const known = this.#texts.get(file) ?? readFileSync(pathOf(file), 'utf8');
    this.#texts.set(file, known);
    return known;
  }

  /** All sites of all files. @throws Error when the compiler cannot read the files. */
  sites(): Site[] {
    const program = this.#program();
    const checker = program.getTypeChecker();
    return this.files.flatMap((file) => {
      const source = program.getSourceFile(pathOf(file));
      if (source === undefined) throw new Error(`the compiler does not find ${pathOf(file)}`);
      return findSites(source, checker, file);
    });
  }

  /** Whether all files still type-check with the change made. */
  typeChecks(site: Site): boolean {
    const name = pathOf(site.file);
    this.#version += 1;
    this.#changed.set(name, { version: String(this.#version), text: applySite(this.text(site.file), site) });
    try {
      // The changed file first: it is where nearly all errors are.
      const others = this.files.map(pathOf).filter((each) => each !== name);
      return [name, ...others].every(
        (each) =>
          this.#service.getSyntacticDiagnostics(each).length === 0 &&
          this.#service.getSemanticDiagnostics(each).length === 0,
      );
    } finally {
      this.#changed.delete(name);
    }
  }

  /** The JavaScript that runs with the change made: two changes that give the same are one. */
  javaScript(site: Site): string {
    return emitted(applySite(this.text(site.file), site));
  }

  /** The JavaScript of a file as it is. */
  unchanged(file: string): string {
    return emitted(this.text(file));
  }

  #program(): ts.Program {
    const program = this.#service.getProgram();
    if (program === undefined) throw new Error('the TypeScript compiler gave no program');
    return program;
  }
}

function emitted(text: string): string {
  const { outputText } = ts.transpileModule(text, {
    compilerOptions: { target: ts.ScriptTarget.ESNext, module: ts.ModuleKind.ESNext, removeComments: true },
  });
  return outputText;
}
