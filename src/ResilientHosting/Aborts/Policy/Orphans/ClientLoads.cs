using System.Runtime.InteropServices;

namespace ResilientHosting.Aborts;

/// <summary>How much abandoned work runs, in all and for each client. Not safe for concurrent use.</summary>
internal sealed class ClientLoads
{
    private readonly Dictionary<object, Load> _clients = [];

    public Load Total { get; private set; }

    public int Clients => _clients.Count;

    public Load Of(object? client) => client is null ? default : _clients.GetValueOrDefault(client);

    public void Change(object? client, int running = 0, int admitted = 0)
    {
        Total = Total.Plus(running, admitted);
        if (client is null)
        {
            return;
        }

        ref var load = ref CollectionsMarshal.GetValueRefOrAddDefault(_clients, client, out _);
        load = load.Plus(running, admitted);
        if (load == default)
        {
            _clients.Remove(client);
        }
    }

    /// <param name="Running">Whatever still runs.</param>
    /// <param name="Admitted">That of it which was allowed to go on.</param>
    internal readonly record struct Load(int Running, int Admitted)
    {
        public Load Plus(int running, int admitted) => new(Running + running, Admitted + admitted);
    }
}
