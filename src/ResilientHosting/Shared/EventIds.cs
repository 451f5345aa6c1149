namespace ResilientHosting;

/// <summary>The bands of log event ids. Ids are appended, never reused: dashboards and alerts refer to them.</summary>
internal static class EventIds
{
    public const int Resources = 1000;
    public const int Aborts = 2000;
    public const int Reloading = 3000;
}
