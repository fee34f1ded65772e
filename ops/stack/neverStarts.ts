import type { V1ContainerStateWaiting, V1Pod } from "@kubernetes/client-node";

/** No repetition mends these; an image is pulled several times before it backs off. */
const HOPELESS = /^(ImagePullBackOff|InvalidImageName|CreateContainerConfigError|CreateContainerError)$/;

/** For what a container of a pod waits in vain; undefined while it may still start. */
export function neverStarts({ status }: V1Pod): V1ContainerStateWaiting | undefined {
  const all = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  return all.find(({ state }) => HOPELESS.test(state?.waiting?.reason ?? ""))?.state?.waiting;
}
