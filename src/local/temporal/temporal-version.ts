/**
 * The release of Temporal's CLI that is downloaded or built; it holds server 1.29. Later tags have a `replace` in their go.mod, and
 * `go install` refuses these.
 */
export const temporalVersion = 'v1.5.1';
