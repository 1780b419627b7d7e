/**
 * What the requests say. Encoders and decoders stand in pairs; a decoder throws ProtocolError for anything its encoder
 * would not have written.
 */
export * from './messages/about.js';
export * from './messages/address.js';
export * from './messages/contents.js';
export * from './messages/digests.js';
export * from './messages/greeting.js';
export * from './messages/objects.js';
export * from './messages/permits.js';
export * from './messages/records.js';
export * from './messages/trees.js';
