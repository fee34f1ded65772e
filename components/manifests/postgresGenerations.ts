import type { PostgresClusterSettings } from "../../settings/settings";

type GenerationSettings = Pick<PostgresClusterSettings, "name" | "generation" | "serving" | "restore">;

/** A Cluster that the stack has. */
export interface PostgresGeneration {
  readonly number: number;
  /** Name of its Cluster, and of its folder in the store of backups. */
  readonly clusterName: string;
  /** Whether Temporal uses it. */
  readonly serves: boolean;
  /** Whether it sleeps, with its volumes, as the way back. */
  readonly hibernates: boolean;
}

/** A name of something of a generation; the first one's has no number. */
export const nameInGeneration = (name: string, generation: number): string =>
  generation === 1 ? name : `${name}-${generation}`;

/** Name of the Cluster of a generation. */
export const clusterNameOf = ({ name }: Pick<PostgresClusterSettings, "name">, generation: number): string =>
  nameInGeneration(name, generation);

/** Generation that Temporal uses. */
export const servingGeneration = ({ generation, serving }: GenerationSettings): number =>
  serving ?? generation;

/** Name of the Cluster that Temporal uses. */
export const servingCluster = (cluster: GenerationSettings): string =>
  clusterNameOf(cluster, servingGeneration(cluster));

/** The generations that the stack has, the former one first. */
export function postgresGenerations(cluster: GenerationSettings): PostgresGeneration[] {
  const { generation, restore } = cluster;
  const serving = servingGeneration(cluster);
  const former = restore?.keepFormer === true ? [restore.fromGeneration] : [];
  return [...former, generation].map((number) => ({
    number,
    clusterName: clusterNameOf(cluster, number),
    serves: number === serving,
    hibernates: number !== generation && number !== serving,
  }));
}
