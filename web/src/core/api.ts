import type { Problem } from "../wire";

/** The server refused; `problem.say` says why in both languages. */
export class Refused extends Error {
  constructor(readonly status: number, readonly problem: Problem) {
    super(problem.say.en);
  }
}

const UNREACHABLE: Problem = { problem: "unreachable", say: { en: "The server does not answer. Is kazami app still running?", ja: "サーバーが応答しません。kazami app は動いていますか？" } };

async function answered<T>(request: Promise<Response>): Promise<T> {
  let response: Response;
  try {
    response = await request;
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Refused(0, UNREACHABLE);
  }
  let body: unknown;
  try {
    body = await response.json();
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Refused(0, UNREACHABLE); // cut off in the middle
  }
  if (!response.ok) throw new Refused(response.status, body as Problem);
  return body as T;
}

/** Ask for a record. Only pages ask; components never do. */
export const get = <T>(path: string, signal?: AbortSignal): Promise<T> => answered<T>(fetch(path, signal ? { signal } : {}));
/** Tell the server something. */
export const post = <T>(path: string, body: unknown, signal?: AbortSignal): Promise<T> =>
  answered<T>(fetch(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body), ...(signal ? { signal } : {}) }));
