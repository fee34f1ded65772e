/**
 * What depends on guards may go on with; a refusal never gets there. It is reported once, as a rejection that nobody
 * handles, which ends the program.
 *
 * A refusal must not run through what depends on it: the SDK runs programs with V8's debugger, which then looks for a
 * handler along every path of promises behind the rejected one. Each `apply` multiplies them, and each image and worker
 * group adds some: a refusal took all memory of the machine and came to no end.
 */
export function unlessRefused<T>(verdict: Promise<T>): Promise<T> {
  return new Promise((resolve) => {
    void verdict.then(resolve);
  });
}
