/** The error body each service has for a status that comes from its front door, not from its own logic. */
import type { ServiceName } from './faults.ts';

/** A text is XML. */
export function errorBody(service: ServiceName | 'ai', status: number): object | string {
  const isBusy = status === 429;
  const message = isBusy ? 'Too many requests.' : 'The service is unavailable.';
  switch (service) {
    case 'entra':
      return {
        error: 'temporarily_unavailable',
        error_description: `${isBusy ? 'AADSTS90055' : 'AADSTS90033'}: ${message}`,
        error_codes: [isBusy ? 90055 : 90033],
      };
    case 'identity':
      return { statusCode: status, message };
    case 'keyvault':
      return { error: { code: isBusy ? 'Throttled' : 'InternalError', message } };
    case 'tables':
      return {
        'odata.error': {
          code: 'ServerBusy',
          message: { lang: 'en-US', value: message },
        },
      };
    case 'queues':
    case 'blobs':
      return `<?xml version="1.0" encoding="utf-8"?><Error><Code>ServerBusy</Code><Message>${message}</Message></Error>`;
    case 'arm':
    case 'graph':
      return { error: { code: isBusy ? 'TooManyRequests' : 'ServiceUnavailable', message } };
    case 'sts':
    case 'ai':
      return { error: { code: String(status), message } };
  }
}
