import { app } from '@azure/functions';

app.http('fine', { handler: async () => ({ body: 'fine' }) });
throw new Error('while loading');
