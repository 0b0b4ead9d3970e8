export {
  acceptWebSocket,
  CLOSE_NORMAL,
  CLOSE_PROTOCOL_ERROR,
  encodeClose,
  encodeWebSocketHeader,
  WEB_SOCKET_FRAME_BYTES_MAX,
  WebSocketDecoder,
  webSocketHandshake,
  WebSocketProtocolError,
  type WebSocketFrame,
  type WebSocketKind,
} from './streams/web-socket.ts';
