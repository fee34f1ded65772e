import type { Release } from "../../components/guards/releases";
import type { Update } from "../../ops/history/updates";
import type { DeployedImage, StackState } from "../../ops/stack/state";

/** Digest of an image of which only one digit matters. */
export const digest = (digit: string): string => `sha256:${digit.repeat(64)}`;
export const image = (digit: string): string => `registry.example.com/worker@${digest(digit)}`;
/** Commit of which only one digit matters. */
export const commitOf = (digit: string): string => digit.repeat(40);

const DEPLOYED: Release["deployed"] = {
  server: {
    historyShards: 512,
    clusterName: "prod",
    initialFailoverVersion: 1,
    failoverVersionIncrement: 100,
    serverTag: "1.31.2",
  },
  postgres: { mode: "cluster", place: "temporal/temporal-pg", tag: "17.6", storageSize: "50Gi" },
  namespaces: [{ name: "prod", retentionDays: 30, searchAttributes: {} }],
};

/** A release with what differs from the usual one. */
export function release(digit: string, changes: Partial<Release> = {}): Release {
  return {
    time: `2026-01-01T00:0${digit}:30.500Z`,
    commit: commitOf(digit),
    dirty: false,
    image: image(digit),
    sources: digit.repeat(16),
    images: {},
    payloadKeys: ["key-1"],
    deployed: DEPLOYED,
    ...changes,
  };
}

/** Image `billing` of which only one digit matters. */
export const billingImage = (digit: string): string => `registry.example.com/billing@${digest(digit)}`;

/** A release with an image of its own for a group. */
export const withBilling = (worker: string, billing: string): Release =>
  release(worker, { images: { billing: { image: billingImage(billing), sources: null } } });

/** What guards compare changes with, with sections that differ. */
export const deployed = (changes: {
  server?: Partial<NonNullable<Release["deployed"]["server"]>>;
  postgres?: Partial<NonNullable<Release["deployed"]["postgres"]>>;
}): Release["deployed"] => ({
  ...DEPLOYED,
  server: DEPLOYED.server && { ...DEPLOYED.server, ...changes.server },
  postgres: DEPLOYED.postgres && { ...DEPLOYED.postgres, ...changes.postgres },
});

/** An update that succeeded, of a minute that is its digit, with what differs. */
export function updateOf(digit: string, changes: Partial<Update> = {}): Update {
  return {
    kind: "update",
    result: "succeeded",
    start: `2026-01-01T00:0${digit}:00.000Z`,
    message: `version ${digit}`,
    who: "Ann Author",
    commit: commitOf(digit),
    dirty: false,
    config: {
      "temporal-stack:workerImage": {
        value: '{"repository":"registry.example.com/worker"}',
        objectValue: { repository: "registry.example.com/worker" },
        secret: false,
      },
    },
    release: release(digit),
    ...changes,
  };
}

/** A worker image in the state. */
export const deployedImage = (digit: string, changes: Partial<DeployedImage> = {}): DeployedImage => ({
  ...{ name: "worker", reference: image(digit), sources: digit.repeat(16) },
  ...changes,
});

/** The state that an update leaves. */
export function stateAt(digit: string, changes: Partial<StackState> = {}): StackState {
  return {
    images: [deployedImage(digit)],
    program: undefined,
    helmReleases: [],
    pending: [],
    quarantine: [],
    deployed: DEPLOYED,
    kubernetesContext: undefined,
    recordsReleases: true,
    ...changes,
  };
}
