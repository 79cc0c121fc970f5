import {
  ConnectedSocket,
  type OnGatewayConnection,
  SubscribeMessage,
  WebSocketGateway,
} from "@nestjs/websockets";
import type { Socket } from "socket.io";

@WebSocketGateway()
export class ClicksGateway implements OnGatewayConnection {
  handleConnection(socket: Socket) {
    const { session } = socket;
    const show = () => {
      const { name, clicks } = session.data;
      socket.emit("session", { name, clicks });
    };
    show();
    session.on("change", show);
  }

  @SubscribeMessage("click")
  async click(@ConnectedSocket() { session }: Socket) {
    await session.update((s) => {
      s.clicks = (s.clicks ?? 0) + 1;
    });
  }
}
