/** What was found on the machine; versions as the programs print them, undefined for a program that is not there. */
export interface FoundMachine {
  readonly platform: string;
  readonly arch: string;
  readonly node: string;
  readonly npm: string | undefined;
  readonly go: string | undefined;
  readonly pip: string | undefined;
}

export declare const MINIMUM: {
  readonly node: readonly [number, number];
  readonly go: readonly [number, number];
};
export declare function needsToolchain(command: string, args: readonly string[]): boolean;
export declare function needsRoot(command: string, args: readonly string[]): boolean;
export declare function parseVersion(text: string | undefined): readonly [number, number] | undefined;
export declare function findMissing(machine: FoundMachine, needs: { readonly toolchain: boolean }): string[];
export declare function rootNeeded(command: string, args?: readonly string[]): string;
