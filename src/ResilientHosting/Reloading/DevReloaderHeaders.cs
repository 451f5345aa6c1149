namespace ResilientHosting.Reloading;

internal static class DevReloaderHeaders
{
    /// <summary>Tells which generation answered. Development only.</summary>
    public const string Generation = "X-Dev-Generation";
}
