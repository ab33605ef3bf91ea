/** A parsed package-lock.json, as far as it matters here. */
export interface OptionalLock {
  readonly packages: Readonly<
    Record<
      string,
      {
        readonly version?: string;
        readonly optional?: boolean;
        readonly os?: readonly string[];
        readonly optionalDependencies?: Readonly<Record<string, string>>;
      }
    >
  >;
}

export declare function findUnnamed(lock: OptionalLock): [path: string, version: string][];
export declare function complete(lock: OptionalLock): OptionalLock;
