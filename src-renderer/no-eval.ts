import { config } from 'zod';

// The content policy lets no text become code. zod would look whether it may, when the first schema is made, and the browser
// would report that look. So this is the first import of the page.
config({ jitless: true });
