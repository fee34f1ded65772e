import { ApiException } from "@kubernetes/client-node";

const NOT_FOUND = 404;

/**
 * What the API server answers; undefined where it has no such thing.
 *
 * @throws as the request, with every other error
 */
export async function unlessMissing<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ApiException && error.code === NOT_FOUND) return undefined;
    throw error;
  }
}
