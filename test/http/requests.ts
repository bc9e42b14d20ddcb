import { HttpRequest } from '@azure/functions';

/** A request as the Functions host hands it to a function. */
export function request(
  method: string,
  path: string,
  {
    body,
    headers = {},
    params = {},
    query = {},
  }: {
    body?: string;
    headers?: Record<string, string>;
    params?: Record<string, string>;
    query?: Record<string, string>;
  } = {},
): HttpRequest {
  return new HttpRequest({
    method,
    url: `http://127.0.0.1${path}`,
    headers,
    params,
    query,
    ...(body === undefined ? {} : { body: { string: body } }),
  });
}

export const form = (members: Record<string, string>): string => new URLSearchParams(members).toString();
export const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
