// Whether node_modules is what package-lock.json says, so that `npm ci` runs only when it has to. Pure; plain
// JavaScript without dependencies, because it runs before there are any.

/** Packages of the lock that npm leaves out on purpose: for other platforms, or optional and not to be had. */
const isDispensable = (entry) => entry.optional === true || entry.peer === true || entry.devOptional === true;

/** Some packages write their version as `v1.2.3`; npm records that as it is, and locks it without the letter. */
const bare = (version) => version?.replace(/^v/, '');

/**
 * Compares the lock file with the record that npm leaves in node_modules once it has finished (and only then).
 * @param lock the parsed package-lock.json.
 * @param record the parsed node_modules/.package-lock.json, or undefined if there is none.
 * @returns the first difference in words, or undefined if all is installed.
 */
export function findDifference(lock, record) {
  if (record === undefined) return 'nothing is installed yet';
  for (const [path, wanted] of Object.entries(lock.packages)) {
    if (!path.includes('node_modules/')) continue;
    const found = record.packages[path];
    if (found === undefined) {
      if (isDispensable(wanted)) continue;
      return `${path} is not installed`;
    }
    if (bare(found.version) !== bare(wanted.version)) return `${path} is ${found.version} instead of ${wanted.version}`;
    // `npm install` leaves the hash out of its record at times; the version is compared in any case.
    if (found.integrity !== undefined && found.integrity !== wanted.integrity) return `${path} has another content`;
    if (found.resolved !== wanted.resolved && wanted.link === true) return `${path} points somewhere else`;
  }
  return undefined;
}
