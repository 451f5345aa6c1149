namespace ResilientHosting.Reloading;

/// <summary>What an application of any generation holds to reach the reloader, if there is one.</summary>
internal sealed class DevReloaderHandle : IDevReloader
{
    public int Generation => Supervisor.Current?.Generation ?? 0;

    public IReadOnlyList<ReloadRecord> History => Supervisor.Current?.History ?? [];

    public void RequestReload(string reason)
    {
        ArgumentException.ThrowIfNullOrEmpty(reason);
        Supervisor.Current?.RequestReload(reason);
    }

    public void Pause() => Supervisor.Current?.Pause();

    public void Resume() => Supervisor.Current?.Resume();
}
