/** The node's own small network: nothing of it is reachable from outside this machine. */
export const addresses = {
  /** The host's end of the virtual cable to the node. */
  hostInterface: "temporal-stack",
  hostIp: "10.201.0.1",
  nodeInterface: "node0",
  nodeIp: "10.201.0.2",
  linkPrefix: 30,
  podBridge: "pods0",
  podCidr: "10.244.0.0/24",
  serviceCidr: "10.96.0.0/16",
  clusterDns: "10.96.0.10",
  clusterDomain: "cluster.local",
} as const;

export const nodeName = "node";
export const apiServerUrl = `https://${addresses.nodeIp}:6443`;
/** Host and port under which both the container engine and the node know the image registry. */
export const registryHost = `${addresses.nodeIp}:5000`;
