const small = (memory: string, limit: string) => ({
  requests: { cpu: "10m", memory },
  limits: { memory: limit },
});
const role = { replicas: 2, resources: small("96Mi", "512Mi") };

/**
 * What two cores and one node need of production: less of everything, but two pods of each Temporal role, three
 * Postgres instances and three workers, and nothing protected, as it all goes at the end.
 */
export const twoCores = {
  temporal: {
    roles: { frontend: role, history: role, matching: role, worker: role },
    databaseConnections: { default: 6, visibility: 4 },
    ui: { replicas: 1 },
    // The shortest, so that tests need not wait.
    reconcileMinutes: 1,
  },
  postgres: {
    operator: { replicas: 1 },
    antiAffinity: "preferred",
    storage: { size: "2Gi" },
    walStorage: { size: "1Gi" },
    resources: { requests: { cpu: "20m", memory: "256Mi" }, limits: { memory: "768Mi" } },
    stopSeconds: 60,
  },
  workers: [
    {
      name: "orders",
      taskQueues: ["orders"],
      replicas: { min: 3, max: 4 },
      resources: small("192Mi", "512Mi"),
    },
  ],
  deletionProtection: false,
};
