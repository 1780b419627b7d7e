export { attach, cacheBehind, detach, loopDevicesOf, type Attached } from './attach.js';
export { lockCache } from './cache-lock.js';
export { formatCache, type FormatRequest } from './format.js';
export * from './identity.js';
export { createImage } from './image.js';
export { acquireLower, lowerMountOptions, type LowerMount, type LowerRequest } from './lower.js';
