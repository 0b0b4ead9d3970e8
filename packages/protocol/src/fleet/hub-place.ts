/** Where a hub listens when nobody says otherwise: for whoever is root on its machine. */
export const HUB_SOCKET = '/run/fairlead/hub.sock';

/** And its port, on loopback unless told otherwise. */
export const HUB_PORT_DEFAULT = 7070;
