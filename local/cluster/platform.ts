/** Platform of the images that run on a cluster of this machine; workers are built for it and run only on such nodes. */
export const MACHINE_PLATFORM = `linux/${process.arch === "arm64" ? "arm64" : "amd64"}`;
